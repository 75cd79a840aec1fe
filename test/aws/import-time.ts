// How long does a process need to import each of the modules on the command line? Prints milliseconds of processor time.
import { pathToFileURL } from 'node:url';

const [, , path = ''] = process.argv;
const before = process.cpuUsage();
await import(pathToFileURL(path).href);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1_000);
