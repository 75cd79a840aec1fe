// Which click-through model speaks for a tenant, and what is said while it cannot be reached?
//
// Table models: pk `<tenant>#model#ctr`, sk `champion`: version and key of the artefact in use. None: the prior model.
import { bucketNeed } from '../runtime/bucket.ts';
import { circuitsNeed } from '../runtime/circuits.ts';
import { isTaskError, Unavailable } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed } from '../runtime/table.ts';
import type { CtrFeatures } from './ctr-features.ts';
import { fallbackCtr } from './ctr-fallback.ts';
import { CtrModel, predictCtr } from './ctr-model.ts';
import { PRIOR_MODEL } from './ctr-prior.ts';
import type { CtrPrediction } from './types.ts';

export interface CtrPredictor {
  source: 'model' | 'fallback';
  modelVersion: string;
  /** Why it is a fallback. */
  reason?: string;
  predict(subject: string, features: CtrFeatures): CtrPrediction;
}

export interface CtrPort {
  /** Never fails because the registry does: then the predictor is a labelled fallback. */
  for(tenant: string): Promise<CtrPredictor>;
}

const table = tableNeed('models', ['GetItem']);
const artefacts = bucketNeed([{ prefix: 'models/', access: 'read' }]);

/** Name of the circuit in front of the registry, in metrics and `/health`. */
export const CTR_CIRCUIT = 'ctr-model';

/** For pointer and artefact together: an HTTP API answers within 30 s, and the fallback must come well before. */
const REGISTRY_LIMIT_MS = 5_000;

export const ctrPort: Need<CtrPort> = {
  grants: [...table.grants, ...artefacts.grants, ...circuitsNeed.grants],
  env: { ...table.env, ...artefacts.env, ...circuitsNeed.env },
  open(env, context) {
    const registry = table.open(env, context);
    const bucket = artefacts.open(env, context);
    const circuits = circuitsNeed.open(env, context);

    async function champion(tenant: string): Promise<CtrModel> {
      const pointer = await registry.get({ pk: `${tenant}#model#ctr`, sk: 'champion' });
      if (pointer === undefined) return PRIOR_MODEL;
      const artefact = CtrModel.safeParse(parsed(await bucket.get(String(pointer['key']))));
      if (!artefact.success)
        throw new Unavailable(`The model ${String(pointer['version'])} cannot be read.`, {
          cause: artefact.error,
        });
      return artefact.data;
    }

    return {
      async for(tenant) {
        try {
          const model = await circuits.run(CTR_CIRCUIT, tenant, () =>
            answeredWithin(REGISTRY_LIMIT_MS, champion(tenant)),
          );
          return {
            source: 'model',
            modelVersion: model.version,
            predict: (subject, features) => predictCtr(model, subject, features),
          };
        } catch (error) {
          if (!isTaskError(error)) throw error;
          return {
            source: 'fallback',
            modelVersion: 'fallback',
            reason: error.message,
            predict: fallbackCtr,
          };
        }
      },
    };
  },
};

/** @throws Unavailable for what is not JSON. */
function parsed(artefact: Buffer | undefined): unknown {
  if (artefact === undefined) return undefined;
  try {
    return JSON.parse(artefact.toString('utf8'));
  } catch (error) {
    throw new Unavailable('The model is not JSON.', { cause: error });
  }
}

/** @throws Unavailable when the answer takes longer. */
async function answeredWithin<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(limitMs);
  let stop = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    const onAbort = (): void =>
      reject(new Unavailable(`The model registry did not answer within ${limitMs} ms.`));
    limit.addEventListener('abort', onAbort, { once: true });
    stop = () => limit.removeEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    stop();
  }
}
