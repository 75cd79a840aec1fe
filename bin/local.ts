// What does the same app do on the embedded cloud? demo, run, serve, redrive, token, doctor
import { runCli } from '../lib/laptop/cli.ts';
import { surroundings } from '../lib/laptop/laptop.ts';
import { openScreen } from '../lib/laptop/screen.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort(new Error('Interrupted.'));
  });
}
// Standard output is the commands' own. A function that outlives its cloud may still log.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (chunk: string | Uint8Array) =>
  interruption.signal.aborted ? true : process.stderr.write(chunk);
const out = openScreen({ write, isTTY: process.stdout.isTTY, columns: process.stdout.columns });
const err = openScreen(process.stderr);
const exitCode = await runCli(
  process.argv.slice(2),
  surroundings({
    out,
    err,
    writeOut: (text) => write(text),
    env: process.env,
    signal: interruption.signal,
  }),
);
out.close();
err.close();
// Idle connections of clients in this process must not hold it; what was written must have left.
write('', () => process.exit(exitCode));
