// Are variables that nobody assigned found?
import { expect, it } from 'vitest';
import { reassigned, unassigned } from './variables.ts';

const pass = (fields: object) => ({ Type: 'Pass', ...fields });

it('finds a variable that only one of two ways assigns', () => {
  const scope = (assign: object) => ({
    StartAt: 'Ask',
    States: {
      Ask: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'Left' }], Default: 'Right' },
      Left: pass({ Assign: { total: 1 }, Next: 'End' }),
      Right: pass({ ...assign, Next: 'End' }),
      End: pass({ Output: '{% $total + $sum([1, 2]) %}', End: true }),
    },
  });
  expect(unassigned(scope({}))).toEqual(['End: $total']);
  expect(unassigned(scope({ Assign: { total: 2 } }))).toEqual([]);
});

it('knows what a catcher assigns, what an expression binds itself, and text in quotes', () => {
  const scope = {
    StartAt: 'Do',
    States: {
      Do: {
        Type: 'Task',
        Catch: [{ ErrorEquals: ['States.ALL'], Assign: { failure: 1 }, Next: 'Bad' }],
        Next: 'Good',
      },
      Bad: pass({ Output: '{% $failure %}', End: true }),
      Good: pass({
        Output: "{% ($twice := function($n) {$n * 2}; $map([1], $twice) ~> $string() & '$nobody') %}",
        End: true,
      }),
    },
  };
  expect(unassigned(scope)).toEqual([]);
});

it('follows a loop until nothing changes', () => {
  const scope = {
    StartAt: 'Begin',
    States: {
      Begin: pass({ Assign: { tries: 0 }, Next: 'Again?' }),
      'Again?': {
        Type: 'Choice',
        Choices: [{ Condition: '{% $tries < 3 and $last != 1 %}', Next: 'Try' }],
        Default: 'Done',
      },
      Try: pass({ Assign: { tries: '{% $tries + 1 %}', last: 1 }, Next: 'Again?' }),
      Done: pass({ End: true }),
    },
  };
  expect(unassigned(scope)).toEqual(['Again?: $last']);
});

it('lets an inner scope read the outer one, not write it', () => {
  const scope = (assign: object) => ({
    StartAt: 'Begin',
    States: {
      Begin: pass({ Assign: { found: [] }, Next: 'Each' }),
      Each: {
        Type: 'Map',
        ItemProcessor: {
          StartAt: 'One',
          States: { One: pass({ Output: '{% $found %}', ...assign, End: true }) },
        },
        End: true,
      },
    },
  });
  expect(reassigned(scope({}))).toEqual([]);
  expect(unassigned(scope({}))).toEqual([]);
  expect(reassigned(scope({ Assign: { found: 1 } }))).toEqual(['One: found']);
});
