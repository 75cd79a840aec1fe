// Is every worker that comes by the clock known to health, with its patience?
import { describe, expect, it } from 'vitest';
import { discover } from '../../lib/aws/discover.ts';
import { scheduledWorkers } from '../../lib/aws/scheduled-workers.ts';

const scheduled = (expression: string, more = {}) =>
  ({ name: 'Sweep', source: { kind: 'schedule', expression, ...more } }) as const;
const minutesOf = (trigger: Parameters<typeof scheduledWorkers>[0][number]) =>
  scheduledWorkers([trigger]).map(({ lateAfterMs }) => lateAfterMs / 60_000);

describe('scheduledWorkers', () => {
  it('finds every schedule in the tree, and nothing else', async () => {
    const { triggers } = await discover();
    const names = scheduledWorkers(triggers.map(({ spec }) => spec)).map(({ worker }) => worker);
    expect(names).toEqual(expect.arrayContaining(['SweepRuns', 'SweepAudit', 'WatchDrive']));
    expect(names).not.toContain('SettleRun');
  });

  it('waits four intervals, or as long as the trigger says', () => {
    expect(minutesOf(scheduled('rate(5 minutes)'))).toEqual([20]);
    expect(minutesOf(scheduled('rate(1 hour)'))).toEqual([240]);
    expect(minutesOf(scheduled('rate(5 minutes)', { lateAfterMinutes: 7 }))).toEqual([7]);
    expect(minutesOf(scheduled('cron(0 3 ? * MON *)', { lateAfterMinutes: 11_000 }))).toEqual([11_000]);
  });

  it('refuses a schedule whose interval nobody says', () => {
    expect(() => scheduledWorkers([scheduled('cron(0 3 ? * MON *)')])).toThrow(
      'Sweep comes by cron(0 3 ? * MON *): its source must say lateAfterMinutes.',
    );
  });
});
