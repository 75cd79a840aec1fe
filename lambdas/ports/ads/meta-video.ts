// How do the bytes of a video get into a Meta ad account?
import * as z from 'zod';
import { Unavailable } from '../../runtime/errors.ts';
import { shaped } from '../shaped.ts';
import type { Graph } from './meta-graph.ts';
import type { VideoBytes, VideoSource } from './publisher.ts';

const Id = z.object({ id: z.string() });
const Started = z.object({
  upload_session_id: z.string(),
  video_id: z.string(),
  start_offset: z.coerce.number(),
  end_offset: z.coerce.number(),
});
const Window = z.object({ start_offset: z.coerce.number(), end_offset: z.coerce.number() });

/**
 * By URL in one call, or start → transfer … → finish with the windows the vendor asks for. Only `finish` makes the video, so an
 * upload that breaks off leaves nothing with this title behind.
 * @throws as every call of the port; Unavailable when the vendor's windows do not advance.
 */
export async function uploadVideo(
  graph: Graph,
  edge: string,
  title: string,
  source: VideoSource,
): Promise<{ id: string }> {
  if ('url' in source) {
    return shaped(
      Id,
      await graph.call('upload video by URL', 'POST', edge, { file_url: source.url, title }),
      'Meta: upload video by URL',
    );
  }
  const { bytes } = source;
  const start = { upload_phase: 'start', file_size: bytes.sizeBytes };
  const started = shaped(
    Started,
    await graph.call('start video upload', 'POST', edge, start),
    'Meta: start video upload',
  );
  const session = started.upload_session_id;
  await transfer(graph, edge, session, bytes, started);
  await graph.call('finish video upload', 'POST', edge, {
    upload_phase: 'finish',
    upload_session_id: session,
    title,
  });
  return { id: started.video_id };
}

async function transfer(
  graph: Graph,
  edge: string,
  session: string,
  bytes: VideoBytes,
  first: z.output<typeof Window>,
): Promise<void> {
  let { start_offset: start, end_offset: end } = first;
  while (start < bytes.sizeBytes) {
    if (end <= start || end > bytes.sizeBytes) {
      throw new Unavailable(
        `Meta: the video upload asked for bytes ${start} to ${end} of ${bytes.sizeBytes}.`,
      );
    }
    const chunk = await bytes.read(start, end);
    const transferred = await graph.call('transfer video', 'POST', edge, {
      upload_phase: 'transfer',
      upload_session_id: session,
      start_offset: start,
      video_file_chunk: new Blob([new Uint8Array(chunk)]),
    });
    const next = shaped(Window, transferred, 'Meta: transfer video');
    if (next.start_offset <= start) throw new Unavailable(`Meta: the video upload stays at byte ${start}.`);
    start = next.start_offset;
    end = next.end_offset;
  }
}
