// How does ffmpeg open a file that somebody sent us?

/** Containers we read. Playlists and lists of files are absent on purpose: they make ffmpeg open other files. */
const CONTAINERS = 'mov,mp4,m4a,3gp,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,mxf';

/** Input arguments: one local file, known containers only. */
export function untrustedInput(path: string): string[] {
  return ['-format_whitelist', CONTAINERS, '-i', `file:${path}`];
}
