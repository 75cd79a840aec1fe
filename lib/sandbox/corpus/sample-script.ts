// What is shown, written, heard and said in the sample video?

export interface SampleShape {
  kind: 'disc' | 'card' | 'ring';
  width: number;
  height: number;
  /** `0xRRGGBB` */
  colour: string;
  /** ffmpeg overlay expressions of t (seconds from the start of the scene), W and H. */
  x: string;
  y: string;
}

export interface SampleScene {
  seconds: number;
  /** Two colours of a gradient that turns with this speed. */
  background: { from: string; to: string; speed: number };
  shapes: readonly SampleShape[];
  /** Drawn big, one above the other; letters, digits, blanks, full stops and question marks only. */
  captions: readonly string[];
  captionColour: string;
  /** Written on the button at the bottom left. */
  button?: string;
  /** ffmpeg aevalsrc expression of t: the sound. */
  sound: string;
  /** What a recogniser would name. */
  objects: readonly { name: string; count: number }[];
  /** What a voice would say; spread over the scene. */
  speech: string;
}

const cup = (x: string, y: string): SampleShape[] => [
  { kind: 'ring', width: 130, height: 150, colour: '0xF5EFE6', x: `${x}+190`, y: `${y}+60` },
  { kind: 'card', width: 260, height: 260, colour: '0xFFFFFF', x, y },
  { kind: 'disc', width: 220, height: 60, colour: '0x5A3420', x: `${x}+20`, y: `${y}+18` },
];
const note = (frequency: number, level: number, decay: number): string =>
  `${level}*sin(2*PI*${frequency}*t)*exp(-${decay}*mod(t,0.5))`;

/** Thirty seconds about a coffee maker that does not exist. */
export const SAMPLE_SCRIPT: readonly SampleScene[] = [
  {
    seconds: 4,
    background: { from: '0x2B0A0A', to: '0xC4161C', speed: 0.08 },
    shapes: [
      {
        kind: 'disc',
        width: 280,
        height: 280,
        colour: '0xFFD23F',
        x: 'W-420+26*sin(t*34)',
        y: '120+18*cos(t*41)',
      },
      {
        kind: 'disc',
        width: 230,
        height: 230,
        colour: '0x1B1B1E',
        x: 'W-395+26*sin(t*34)',
        y: '145+18*cos(t*41)',
      },
      {
        kind: 'card',
        width: 14,
        height: 90,
        colour: '0xFFFFFF',
        x: 'W-287+26*sin(t*34)',
        y: '170+18*cos(t*41)',
      },
    ],
    captions: ['Mornings', 'are loud.'],
    captionColour: 'white',
    sound: '0.5*sin(2*PI*1400*t)*lt(mod(t,0.25),0.12)',
    objects: [{ name: 'Alarm Clock', count: 1 }],
    speech: 'Mornings are loud',
  },
  {
    seconds: 4.5,
    background: { from: '0x8D99A6', to: '0xC9D1D9', speed: 0.01 },
    shapes: [0, 1, 2, 3, 4].flatMap((i): SampleShape[] => [
      { kind: 'card', width: 90, height: 200, colour: '0x47525E', x: `${660 + i * 120}-10*t`, y: 'H-230' },
      { kind: 'disc', width: 90, height: 90, colour: '0x5E6A77', x: `${660 + i * 120}-10*t`, y: 'H-330' },
    ]),
    captions: ['Still waiting', 'in line?'],
    captionColour: '0x1D232A',
    sound: '0.03*sin(2*PI*110*t)',
    objects: [
      { name: 'Person', count: 5 },
      { name: 'Queue', count: 1 },
    ],
    speech: 'and the coffee line is longer than your commute',
  },
  {
    seconds: 4.5,
    background: { from: '0x003B46', to: '0x07A5A0', speed: 0.02 },
    shapes: [
      { kind: 'disc', width: 460, height: 460, colour: '0x0B6E75', x: 'W-560', y: 'H/2-230' },
      ...cup('W-480', 'max(H/2-120,H-t*420)'),
    ],
    captions: ['Meet', 'Brewly'],
    captionColour: '0xFDF6EC',
    sound: `${note(392, 0.25, 5)}+${note(494, 0.2, 5)}+${note(587, 0.2, 5)}`,
    objects: [
      { name: 'Cup', count: 1 },
      { name: 'Coffee', count: 1 },
    ],
    speech: 'Meet Brewly the pocket coffee maker',
  },
  {
    seconds: 4.5,
    background: { from: '0xF2B880', to: '0x7B3F1D', speed: 0.03 },
    shapes: [
      { kind: 'card', width: 26, height: 420, colour: '0x3B1F0E', x: 'W-370', y: '-120+mod(t*300,90)' },
      {
        kind: 'disc',
        width: 90,
        height: 90,
        colour: '0xFFE8D0',
        x: 'W-520+30*sin(t*2)',
        y: '260-mod(t*90,260)',
      },
      {
        kind: 'disc',
        width: 60,
        height: 60,
        colour: '0xFFEEDD',
        x: 'W-260+26*cos(t*3)',
        y: '280-mod(t*120,280)',
      },
      ...cup('W-490', 'H-330'),
    ],
    captions: ['Pour. Press.', 'Sip.'],
    captionColour: '0xFFFFFF',
    sound: '0.25*(random(0)-0.5)+0.05*sin(2*PI*220*t)',
    objects: [
      { name: 'Coffee', count: 1 },
      { name: 'Cup', count: 1 },
      { name: 'Steam', count: 2 },
    ],
    speech: 'Pour press and sip',
  },
  {
    seconds: 4.5,
    background: { from: '0x9BE15D', to: '0x00A651', speed: 0.05 },
    shapes: [
      {
        kind: 'ring',
        width: 220,
        height: 200,
        colour: '0x14532D',
        x: 'mod(t*520,W+400)-320',
        y: 'H-470+30*sin(t*9)',
      },
      {
        kind: 'card',
        width: 320,
        height: 280,
        colour: '0x166534',
        x: 'mod(t*520,W+400)-370',
        y: 'H-380+30*sin(t*9)',
      },
      {
        kind: 'card',
        width: 120,
        height: 90,
        colour: '0xFDE047',
        x: 'mod(t*520,W+400)-270',
        y: 'H-300+30*sin(t*9)',
      },
    ],
    captions: ['Fits in', 'your bag'],
    captionColour: '0x052E16',
    sound: `${note(262, 0.3, 8)}+0.15*sin(2*PI*65*t)*lt(mod(t,0.5),0.2)`,
    objects: [
      { name: 'Backpack', count: 1 },
      { name: 'Grass', count: 1 },
    ],
    speech: 'It fits in your bag and goes where you go',
  },
  {
    seconds: 4,
    background: { from: '0x1E1B4B', to: '0x7C3AED', speed: 0.02 },
    shapes: [0, 1, 2, 3, 4].map((i): SampleShape => ({
      kind: 'ring',
      width: 150,
      height: 150,
      colour: ['0xF472B6', '0xFBBF24', '0x34D399', '0x60A5FA', '0xF87171'][i] as string,
      x: `W-420+230*cos(t*1.4+${i}*1.2566)`,
      y: `H/2-75+230*sin(t*1.4+${i}*1.2566)`,
    })),
    captions: ['Your morning', 'your way'],
    captionColour: '0xF5F3FF',
    sound: `${note(330, 0.2, 3)}+${note(415, 0.2, 3)}`,
    objects: [{ name: 'Ring', count: 5 }],
    speech: 'your morning your way',
  },
  {
    seconds: 4,
    background: { from: '0xFFF7ED', to: '0xFED7AA', speed: 0.01 },
    shapes: [
      { kind: 'card', width: 430, height: 120, colour: '0xEA580C', x: '90', y: 'H-190+6*sin(t*6)' },
      ...cup('W-450', 'H/2-130'),
    ],
    captions: ['Try Brewly', 'today'],
    button: 'brewly.example',
    captionColour: '0x7C2D12',
    sound: `${note(523, 0.25, 2)}+${note(659, 0.2, 2)}+${note(784, 0.2, 2)}`,
    objects: [{ name: 'Cup', count: 1 }],
    speech: 'Try Brewly today',
  },
];
