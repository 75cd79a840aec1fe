import { describe, expect, it } from 'vitest';
import { createFaults, NoReply, type Fault } from '../../lib/local/faults.ts';
import type { CallContext, CloudService, Json } from '../../lib/local/types.ts';

function board(...faults: Fault[]) {
  const made = createFaults();
  const killed: string[] = [];
  const hung: string[] = [];
  made.connect({
    functionOf: (id) => (id === 'i1' ? 'impresario-PublishCampaign' : undefined),
    eventOf: (id) => (id === 'i1' ? '{"run":"run-1"}' : undefined),
    kill: (id) => killed.push(id),
    hang: (id) => hung.push(id),
  });
  const handles = faults.map((fault) => made.add(fault));
  let ran = 0;
  const call = (
    service: CloudService = 'dynamodb',
    operation = 'PutItem',
    input: Json = {},
    invocationId: string | undefined = 'i1',
  ) => {
    const context: CallContext = {
      principal: { kind: 'administrator' },
      ...(invocationId === undefined ? {} : { invocationId }),
    };
    return made.around(context, service, operation, input, () => Promise.resolve({ ran: ++ran }));
  };
  return { made, handles, call, killed, hung, ran: () => ran };
}

describe('faults on calls', () => {
  it('answer with an error before the effect, as often as asked', async () => {
    const { call, handles, ran } = board({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'before',
      times: 2,
      effect: {
        kind: 'error',
        code: 'TransactionCanceledException',
        fields: { CancellationReasons: [{ Code: 'TransactionConflict' }] },
      },
    });
    await call('dynamodb', 'PutItem');
    await call('sqs', 'TransactWriteItems');
    for (let time = 0; time < 2; time += 1) {
      await expect(call('dynamodb', 'TransactWriteItems')).rejects.toMatchObject({
        code: 'TransactionCanceledException',
        fields: { CancellationReasons: [{ Code: 'TransactionConflict' }] },
      });
    }
    await call('dynamodb', 'TransactWriteItems');
    expect(ran()).toBe(3);
    expect(handles[0]!.hits).toBe(2);
  });

  it('let something else happen at that moment, and the call go on', async () => {
    const seen: number[] = [];
    const happens = { kind: 'meanwhile', run: () => seen.push(ran()) } as const;
    const { call, made, ran } = board(
      { service: 'sqs', when: 'before', effect: happens, times: 1 },
      { service: 'sqs', when: 'after', effect: happens, times: 1 },
      { callIndex: 2, when: 'after', effect: happens },
    );
    expect(await call('sqs', 'SendMessage')).toEqual({ ran: 1 });
    expect(await call('sqs', 'SendMessage')).toEqual({ ran: 2 });
    expect(seen).toEqual([0, 1]);
    const request = { functionName: 'impresario-PublishCampaign', eventText: '{}', address: 'meta/act_1' };
    expect(made.outgoing({ ...request, index: 1 }, 'after')).toBeUndefined();
    expect(made.outgoing({ ...request, index: 2 }, 'after')).toBeUndefined();
    expect(seen).toEqual([0, 1, 2]);
  });

  it('let the effect happen when they come after it', async () => {
    const lost = board({ service: 'sqs', when: 'before', effect: { kind: 'lost-reply' } });
    const error = await lost.call('sqs', 'SendMessage').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NoReply);
    expect(error).toMatchObject({ how: 'lost' });
    expect(lost.ran()).toBe(1);
    const late = board({ service: 'sqs', when: 'after', effect: { kind: 'throttle' } });
    await expect(late.call('sqs')).rejects.toMatchObject({ code: 'RequestThrottled', status: 403 });
    expect(late.ran()).toBe(1);
  });

  it('kill or hang the invocation that calls', async () => {
    const kill = board({ service: 's3', when: 'before', effect: { kind: 'kill' } });
    await expect(kill.call('s3')).rejects.toMatchObject({ how: 'never' });
    expect([kill.killed, kill.ran()]).toEqual([['i1'], 0]);
    const hang = board({ service: 's3', when: 'after', effect: { kind: 'timeout' } });
    await expect(hang.call('s3')).rejects.toMatchObject({ how: 'never' });
    expect([hang.hung, hang.ran()]).toEqual([['i1'], 1]);
  });

  it('match by resource and by function', async () => {
    const { call, made } = board({
      service: 'dynamodb',
      resource: /"pk":\{"S":"t1#/,
      function: 'Publish',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    const key = (tenant: string) => ({ Key: { pk: { S: `${tenant}#x` } }, Body: Buffer.from('x') });
    await call('dynamodb', 'PutItem', key('t2'));
    await call('dynamodb', 'PutItem', key('t1'), 'another');
    await expect(call('dynamodb', 'PutItem', key('t1'))).rejects.toMatchObject({
      code: 'ProvisionedThroughputExceededException',
    });
    made.clear();
    await call('dynamodb', 'PutItem', key('t1'));
  });

  it('with a call number or a host leave calls inside the cloud alone', async () => {
    const { call, made } = board(
      { callIndex: 2, when: 'before', effect: { kind: 'kill' } },
      { host: 'graph.facebook', when: 'after', effect: { kind: 'timeout' }, times: 1 },
    );
    await call();
    const outgoing = {
      functionName: 'f',
      eventText: '{"run":"run-1"}',
      address: '127.0.0.1:80/v1/graph.facebook/x',
    };
    expect(made.outgoing({ ...outgoing, index: 1 }, 'before')).toBeUndefined();
    expect(made.outgoing({ ...outgoing, index: 2 }, 'before')).toEqual({ kind: 'kill' });
    expect(made.outgoing({ ...outgoing, index: 3 }, 'after')).toEqual({ kind: 'timeout' });
    expect(made.outgoing({ ...outgoing, index: 4 }, 'after')).toBeUndefined();
  });
});

describe('faults of one run', () => {
  const only = { event: 'run-1', times: 1 };

  it('hit what that event caused and nothing else', async () => {
    const { call, made } = board(
      { ...only, service: 'dynamodb', when: 'before', effect: { kind: 'throttle' } },
      { ...only, callIndex: 1, when: 'before', effect: { kind: 'kill' } },
      { ...only, function: 'f', invocation: 'error' },
    );
    await call('dynamodb', 'PutItem', {}, 'another');
    await expect(call()).rejects.toThrow('Rate exceeded');
    const outgoing = { functionName: 'f', address: 'x', index: 1 };
    expect(made.outgoing({ ...outgoing, eventText: 'run-2' }, 'before')).toBeUndefined();
    expect(made.outgoing({ ...outgoing, eventText: 'run-1' }, 'before')).toEqual({ kind: 'kill' });
    expect(made.invocation('f', 'before', () => 'run-2')).toBeUndefined();
    expect(made.invocation('f', 'before', () => 'run-1')?.invocation).toBe('error');
  });
});

describe('other faults', () => {
  it('are taken by invocation and by delivery', () => {
    const { made, handles } = board(
      { function: 'Publish', invocation: 'error', when: 'after', times: 1 },
      { function: 'Publish', invocation: 'duplicate', times: 1 },
      { deliverTwiceTo: ':audit', times: 1 },
    );
    expect(made.invocation('Publish', 'before')).toBeUndefined();
    expect(made.invocation('Publish', 'after')?.invocation).toBe('error');
    expect(made.invocation('Publish', 'after')).toBeUndefined();
    expect([made.duplicate('arn:Publish'), made.duplicate('arn:Publish')]).toEqual([true, false]);
    expect([made.duplicate('arn:audit'), made.duplicate('arn:audit')]).toEqual([true, false]);
    expect(handles.map((handle) => handle.hits)).toEqual([1, 1, 1]);
    const removed = made.add({ function: 'x', invocation: 'kill' });
    removed.remove();
    expect(made.invocation('x', 'before')).toBeUndefined();
  });
});
