// What does one worker do? Plays the seeds it is sent and answers with what came of them.
import { playAll } from './sequences.ts';

process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
process.on('message', ({ from, count }: { from: number; count: number }) => {
  playAll(Array.from({ length: count }, (_, i) => from + i)).then(
    (summary) => process.send?.(summary),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
