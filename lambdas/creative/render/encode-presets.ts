// With which codec settings does an ad leave?

export const PRESETS = {
  /** Spec §7: H.264 CRF 23, AAC 128k, moov atom in front so that playback starts before the download ends. */
  final: { x264: 'veryfast', crf: 23, audioKbps: 128 },
  /** The same frames for a laptop or a test. */
  draft: { x264: 'ultrafast', crf: 28, audioKbps: 96 },
  /** Only for proxies that nobody publishes. */
  preview: { x264: 'ultrafast', crf: 30, audioKbps: 64 },
} as const;
export type PresetName = keyof typeof PRESETS;

/**
 * x264 is deterministic for a given number of threads, and by default takes the machine's. Two also keeps the encoders of a
 * group of five within a Lambda's six cores.
 */
const ENCODER_THREADS = 2;

/** Output options. The same input gives the same bytes: no dates, no encoder banner, no metadata of the source. */
export function encodeArgs(preset: PresetName): string[] {
  const { x264, crf, audioKbps } = PRESETS[preset];
  return [
    `-c:v libx264 -preset ${x264} -crf ${crf} -pix_fmt yuv420p -profile:v high -threads:v ${ENCODER_THREADS} -g 60`,
    `-c:a aac -b:a ${audioKbps}k -ar 48000 -ac 2`,
    '-movflags +faststart -map_metadata -1 -map_chapters -1',
    '-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -f mp4',
  ].flatMap((options) => options.split(' '));
}
