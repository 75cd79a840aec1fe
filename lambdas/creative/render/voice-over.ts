// How does a spoken track enter the ad, when there is one?

export interface VoiceOverSpec {
  /** Filter input label of the spoken track (`3:a`), or null: the slot is empty. */
  input: string | null;
  /** When it begins. */
  delayMs: number;
  /** Seconds of the whole ad, as ffmpeg writes them. */
  duration: string;
  out: string;
}

/** The spoken track as 48 kHz stereo, as long as the ad; null when the slot is empty. */
export function voiceOver(spec: VoiceOverSpec): string | null {
  if (spec.input === null) return null;
  const delay = spec.delayMs > 0 ? `adelay=${spec.delayMs}:all=1,` : '';
  return (
    `[${spec.input}]aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo,${delay}` +
    `apad,atrim=end=${spec.duration}[${spec.out}]`
  );
}
