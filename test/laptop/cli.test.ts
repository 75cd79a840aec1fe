import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../lib/laptop/commands.ts';
import { command } from './console.ts';

const nowhere = (): string => mkdtempSync(join(tmpdir(), 'impresario-'));

describe('the command line', () => {
  it('lists every command, and every command says what it takes', async () => {
    const overview = await command(['--help']);
    expect(overview.exitCode).toBe(0);
    expect(Object.keys(COMMANDS)).toEqual(['demo', 'run', 'serve', 'redrive', 'token', 'doctor']);
    for (const [name, { options }] of Object.entries(COMMANDS)) {
      expect(overview.out).toContain(`  ${name}`);
      const help = await command([name, '--help']);
      expect(help).toMatchObject({ exitCode: 0, err: '' });
      expect(help.out).toContain(`Usage: npm run local -- ${name}`);
      for (const option of Object.keys(options)) expect(help.out).toContain(`--${option}`);
    }
  });

  it.each([
    [['frobnicate'], 'There is no command “frobnicate”.'],
    [['toString'], 'There is no command “toString”.'],
    [['run'], 'run needs STATE-MACHINE.'],
    [['run', 'creative-generation'], 'run needs INPUT.json.'],
    [['run', 'a', 'b', 'c'], 'run does not take “c”.'],
    [['demo', '--frob'], "demo: Unknown option '--frob'."],
    [['serve', '--aws-port', 'x'], '--aws-port takes a port number'],
    [['serve', '--api-port', '70000'], '--api-port takes a port number'],
    [['token', '--tenant', 'demo', '--role', 'king'], 'token needs --role, one of viewer'],
    [['token', '--role', 'admin'], 'token needs --tenant'],
    [['redrive'], 'redrive needs --run ID, --queue NAME or a filter such as --error NAME.'],
    [['redrive', '--run', 'a', '--queue', 'b'], 'redrive takes --run ID with --tenant only'],
    [['redrive', '--run', 'a', '--error', 'Unavailable'], 'redrive takes --run ID with --tenant only'],
  ])('refuses %j in a sentence with exit code 2', async (args, sentence) => {
    const { exitCode, out, err } = await command(args);
    expect(err).toContain(sentence);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
  });

  it('says that nothing is served instead of failing strangely', async () => {
    for (const args of [
      ['token', '--tenant', 'demo', '--role', 'admin'],
      ['redrive', '--queue', 'creative-dead-letters'],
      ['redrive', '--error', 'Unavailable'],
    ]) {
      const { exitCode, err } = await command(args, { cacheDir: nowhere() });
      expect(exitCode).toBe(1);
      expect(err).toMatch(
        /^Nothing is being served from this folder\. Start it .* npm run local -- serve\n$/,
      );
    }
  });

  it('names a busy port and the option that chooses another', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { exitCode, err } = await command(['serve', '--aws-port', String(port)]);
    server.close();
    expect(exitCode).toBe(1);
    expect(err).toContain(`Port ${port} for the AWS endpoint is already in use.`);
    expect(err).toContain('--aws-port');
  });

  it('says which field of an input is missing, and which file is none', async () => {
    const input = join(nowhere(), 'input.json');
    writeFileSync(input, JSON.stringify({ run: { tenant: 'demo', attempt: 1 } }));
    const { exitCode, out, err } = await command(['run', 'creative-generation', input, '--json']);
    expect(exitCode).toBe(1);
    expect(err).toBe(`${input}: run.id is missing\n`);
    expect(out.endsWith('\n')).toBe(true);
    expect(JSON.parse(out)).toEqual({
      executionArn: null,
      status: 'NOT_STARTED',
      output: null,
      error: { name: 'NotStarted', cause: `${input}: run.id is missing` },
      states: [],
    });
    expect((await command(['run', 'creative-generation', 'no-such.json'])).err).toBe(
      'There is no file no-such.json.\n',
    );
    expect((await command(['demo', 'no-such.mp4'])).err).toBe('There is no file no-such.mp4.\n');
  });
});
