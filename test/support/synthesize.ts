// Synthesises the stacks into the folder named on the command line, as `npm start` does.
import { synthesize } from '../../lib/laptop/synthesize.ts';

const [, , outDir] = process.argv;
if (outDir === undefined) throw new Error('Usage: node test/support/synthesize.ts <folder>');
await synthesize('dev', outDir);
