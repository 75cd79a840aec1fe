// Does every file stand where its name says, and import only what its place allows?
import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statesOf, taskTarget } from '../lib/aws/asl.ts';
import { discover } from '../lib/aws/discover.ts';
import { kebab } from '../lib/aws/names.ts';
import { files, importsOf, reaches, read, ROOT, sources } from './support/sources.ts';

const tree = await discover();
const states = tree.machines.flatMap(({ name, definition }) =>
  statesOf(definition).map((state) => ({ machine: name, state })),
);
const targets = states.flatMap(({ state }) => taskTarget(state) ?? []);

/** Files of the product: what is shipped or runs it. */
const product = sources('bin', 'lib', 'lambdas');
const lambdas = sources('lambdas');

describe('the naming law', () => {
  it.each(tree.tasks.map(({ spec, area, file }) => ({ name: spec.name, area, file })))(
    '$name is a state, a file and a test',
    ({ name, area, file }) => {
      expect(basename(file)).toBe(`${kebab(name)}.task.ts`);
      expect(
        targets.filter((target) => target === name),
        'states that run it',
      ).toHaveLength(1);
      expect(
        existsSync(join(ROOT, 'test', area, `${kebab(name)}.task.test.ts`)),
        `test/${area}/${kebab(name)}.task.test.ts`,
      ).toBe(true);
    },
  );

  it('a Task state is called what it runs', () => {
    const wrong = states.filter(({ state }) => state.Type === 'Task' && state.name !== taskTarget(state));
    expect(wrong.map(({ machine, state }) => `${machine}: ${state.name}`)).toEqual([]);
  });

  it('every placeholder of a Task has its task file', () => {
    const names = tree.tasks.map(({ spec }) => spec.name);
    expect(targets.filter((target) => !names.includes(target))).toEqual([]);
    expect(new Set(names).size, 'task names are unique in the whole tree').toBe(names.length);
  });

  it('Choice states are questions', () => {
    const choices = states.filter(({ state }) => state.Type === 'Choice');
    expect(choices.length).toBeGreaterThan(0);
    expect(choices.filter(({ state }) => !state.name.endsWith('?'))).toEqual([]);
  });

  it('triggers and routes are called what their file is called', () => {
    const wrong = [...tree.triggers, ...tree.routes].filter(({ spec, entry }) => {
      const [name = ''] = entry.split('.');
      // OpenAPI is one word to people and two to a name.
      return ![name, `${name}-api`, name.replace('openapi', 'open-api')].includes(kebab(spec.name));
    });
    expect(wrong.map(({ spec, file }) => `${spec.name}: ${file}`)).toEqual([]);
  });

  it('only the four folders of lambdas know a suffix: task, trigger, routes', () => {
    const suffixed = lambdas.filter((path) => /\.\w+\.ts$/.test(basename(path)));
    expect(
      suffixed.filter((path) => !/^lambdas\/\w+\/[a-z0-9-]+\.(task|trigger|routes)\.ts$/.test(path)),
    ).toEqual([]);
  });

  it('every state machine has a happy, a degraded and a failing example', () => {
    for (const { name } of tree.machines) {
      const events = files(`events/${name}`).map((path) => basename(path));
      for (const kind of ['happy', 'degraded', 'failing']) {
        expect(
          events.filter((event) => event.startsWith(kind)),
          `events/${name}/${kind}*.json`,
        ).not.toEqual([]);
      }
    }
  });
});

describe('effects', () => {
  const undoesOf = (name: string | undefined): readonly string[] =>
    tree.tasks.find(({ spec }) => spec.name === name)?.spec.undoes ?? [];

  it.each(tree.tasks.filter(({ spec }) => spec.effects.length > 0).map(({ spec }) => spec))(
    'what $name creates, its undo takes back',
    ({ effects, undoneBy }) => {
      expect(undoesOf(undoneBy)).toEqual(expect.arrayContaining([...effects]));
    },
  );

  it('there are effects, and nothing is undone that nobody does', () => {
    const effects = tree.tasks.flatMap(({ spec }) => [...spec.effects]);
    const undone = tree.tasks.flatMap(({ spec }) => [...spec.undoes]);
    expect(effects.length).toBeGreaterThan(0);
    expect(undone.filter((effect) => !effects.includes(effect))).toEqual([]);
  });
});

/** Reading or writing anything outside the process, or its surroundings. */
const OUTSIDE =
  /^(node:(fs|fs\/promises|net|http|https|http2|tls|dns|dns\/promises|child_process|worker_threads|os|timers\/promises)|@aws-sdk\/.*|@smithy\/.*|@middy\/.*)$/;
/** Finds our font file on disk: knows a place, decides nothing. */
const NOT_A_DECISION = new Set(['lambdas/creative/media/fonts.ts']);

describe('decisions', () => {
  // A file of an area without a suffix that waits for nothing can only compute.
  const decisions = lambdas.filter(
    (path) =>
      !/^lambdas\/(runtime|ports)\//.test(path) &&
      !/\.(task|trigger|routes)\.ts$/.test(path) &&
      !/\b(async|await|Promise)\b/.test(read(path)) &&
      !NOT_A_DECISION.has(path),
  );

  it('are most of what an area holds', () => {
    expect(decisions.length).toBeGreaterThan(40);
  });

  it.each(decisions)('%s imports no input or output', (path) => {
    const reached = [...reaches(path)].filter(([from]) => OUTSIDE.test(from)).map(([, chain]) => chain);
    expect(reached).toEqual([]);
  });

  it.each(decisions)('%s is given time, chance and configuration', (path) => {
    expect(read(path)).not.toMatch(
      /Date\.now\(|new Date\(\)|Math\.random\(|process\.env|process\.getBuiltinModule|\bfetch\(/,
    );
  });
});

describe('places', () => {
  it('lambdas never import the house that hosts them', () => {
    const strangers = lambdas.flatMap((path) =>
      importsOf(path)
        .filter(({ from, own }) => own && !from.startsWith('lambdas/'))
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(strangers).toEqual([]);
  });

  it('areas do not reach into each other, except to queue a change', () => {
    const strangers = lambdas.flatMap((path) => {
      const area = path.split('/')[1] ?? '';
      if (['runtime', 'ports'].includes(area)) return [];
      return importsOf(path)
        .filter(
          ({ from, own }) => own && !['runtime', 'ports', 'changes', area].includes(from.split('/')[1] ?? ''),
        )
        .map(({ from }) => `${path} → ${from}`);
    });
    expect(strangers).toEqual([]);
  });

  it('the ad account is written by lambdas/changes, and by creative through the publisher alone', () => {
    const reading = 'live-ads|ads-reader-port|refusals';
    const allowed: Record<string, RegExp> = {
      creative: new RegExp(`^lambdas/ports/ads/(${reading}|publisher|publisher-port|names|aims)\\.ts$`),
      changes: /./,
      ports: /./,
    };
    const everyone = new RegExp(`^lambdas/ports/ads/(${reading})\\.ts$`);
    const strangers = lambdas.flatMap((path) =>
      importsOf(path)
        .filter(({ from }) => from.startsWith('lambdas/ports/ads/'))
        .filter(({ from }) => !(allowed[path.split('/')[1] ?? ''] ?? everyone).test(from))
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(strangers).toEqual([]);
  });

  it('what updates live ads is one file behind one port, and lambdas/changes alone opens it', () => {
    const users = (file: string): string[] =>
      lambdas.filter((path) => importsOf(path).some(({ from }) => from === `lambdas/ports/ads/${file}`));
    expect(users('meta-write.ts')).toEqual(['lambdas/ports/ads/ads-writer-port.ts']);
    expect(users('ads-writer-port.ts').filter((path) => !path.startsWith('lambdas/changes/'))).toEqual([]);
  });

  it('no function of another area carries the writer, not even by way of lambdas/changes', () => {
    const functions = [...tree.tasks, ...tree.triggers, ...tree.routes].map(({ file }) =>
      relative(ROOT, file),
    );
    const carriers = functions
      .filter((file) => !file.startsWith('lambdas/changes/'))
      .map((file) => reaches(file).get('lambdas/ports/ads/meta-write.ts'))
      .filter((chain) => chain !== undefined);
    expect(functions.length).toBeGreaterThan(20);
    expect(carriers).toEqual([]);
  });

  it('tasks know capabilities; only a port’s own folder knows its vendors', () => {
    const vendors = /^lambdas\/ports\/\w+\/(meta|google|rekognition|transcribe|bedrock|openai)[\w-]*\.ts$/;
    const strangers = lambdas
      .filter((path) => !path.startsWith('lambdas/ports/'))
      .flatMap((path) =>
        importsOf(path)
          .filter(({ from }) => vendors.test(from))
          .map(({ from }) => `${path} → ${from}`),
      );
    expect(strangers).toEqual([]);
  });

  it('everything is launched from bin: no library imports it', () => {
    const strangers = sources('lib', 'lambdas').flatMap((path) =>
      importsOf(path)
        .filter(({ from, own }) => own && from.startsWith('bin/'))
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(strangers).toEqual([]);
  });
});

describe('style', () => {
  it('line one asks the question that the file answers', () => {
    expect(product.filter((path) => !/^\/\/ .*\?/.test(read(path).split('\n')[0] ?? ''))).toEqual([]);
  });

  it('no file is called after a drawer', () => {
    const drawers = /(^|[-./])(utils?|helpers?|common|managers?|services?|misc|shared)([-./]|$)/;
    expect(
      [...product, ...sources('test')].filter(
        (path) => drawers.test(path) && !path.startsWith('test/acceptance/'),
      ),
    ).toEqual([]);
  });

  it('no barrel files, no default exports', () => {
    const statements = (path: string): string[] =>
      code(path)
        .split(/;\n/)
        .filter((text) => text.trim() !== '');
    const barrels = product.filter(
      (path) =>
        basename(path) === 'index.ts' ||
        statements(path).every((text) => /^(import|export) [^]* from ''$/.test(text.trim())),
    );
    expect(barrels).toEqual([]);
    expect(product.filter((path) => /^export default /m.test(read(path)))).toEqual([]);
  });

  it('zod is imported whole, which is the smaller way', () => {
    const wrong = [...product, ...sources('test')].filter((path) =>
      /^import (?!(type )?\* as z from 'zod';).*from 'zod(\/[\w/]*)?'/m.test(read(path)),
    );
    expect(wrong).toEqual([]);
  });

  it('nothing is of type any, but for the two places that say why', () => {
    const said = product.filter((path) => /(:|\bas|[<|=,]) any\b(?! \w)|<any\b/.test(code(path)));
    expect(said.toSorted()).toEqual(['lambdas/runtime/need.ts', 'lib/local/types.ts']);
  });

  it('nothing is left to do, and no machine is named', () => {
    const texts = files().filter((path) => /\.(ts|mjs|json|md|js)$|\.ci\/run$/.test(path));
    expect(
      texts.filter((path) => /\b(TODO|FIXME|XXX)\b/.test(read(path)) && path !== 'test/tree.test.ts'),
    ).toEqual([]);
    expect(texts.filter((path) => /(^|[\s'"`(=])\/(home|Users|root|work)\/\w/m.test(read(path)))).toEqual([]);
  });

  it('a test file stands where its source stands', () => {
    const tests = sources('test').filter((path) => path.endsWith('.test.ts'));
    const orphans = tests.filter((path) => {
      const place = dirname(path).replace(/^test\/?/, '');
      const roots = ['lambdas', 'lib', '.'].map((root) => join(root, place));
      const whole = ['acceptance', 'faults', 'long', 'infrastructure', 'statemachines', 'events'];
      return (
        !roots.some((root) => existsSync(join(ROOT, root))) && !whole.includes(place.split('/')[0] ?? '')
      );
    });
    expect(orphans).toEqual([]);
  });
});

/** Source without comments and strings. */
function code(path: string): string {
  return read(path)
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/`(?:[^`\\]|\\.)*`/g, '``');
}
