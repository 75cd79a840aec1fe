// How does Meta create, find and delete ads?
import * as z from 'zod';
import { Refused } from '../../runtime/errors.ts';
import { shaped } from '../shaped.ts';
import { readAccount, unlessUnknown } from './meta-account.ts';
import { createGraph, type Graph, type MetaOptions, type Params } from './meta-graph.ts';
import { adParams, adSetParams, campaignParams, creativeParams, EDGES } from './meta-shapes.ts';
import { uploadVideo } from './meta-video.ts';
import type { AdObject, AdObjectKind, Checkable, Publisher, VideoStatus } from './publisher.ts';

const Created = z.object({ id: z.string() });
const Success = z.object({ success: z.literal(true) });
const Row = z.object({
  id: z.string(),
  name: z.string().optional(),
  title: z.string().optional(),
  status: z.string().optional(),
});
const Page = z.object({
  data: z.array(Row),
  paging: z
    .object({ cursors: z.object({ after: z.string().optional() }).optional(), next: z.string().optional() })
    .optional(),
});
const Video = z.object({
  status: z.object({
    video_status: z.string(),
    processing_phase: z.object({ errors: z.array(z.object({ message: z.string() })).optional() }).optional(),
  }),
  picture: z.string().optional(),
});

const PAGE_SIZE = 100;
/** Creatives cannot be filtered by name, so a search may have to turn pages. */
const MOST_PAGES = 100;

/** Children before parents: what `listOwned` promises. */
const DELETION_ORDER: readonly AdObjectKind[] = ['ad', 'creative', 'video', 'ad-set', 'campaign'];

/** A publisher for one ad account. */
export function createMetaPublisher(options: MetaOptions): Publisher {
  const graph = createGraph(options);
  const account = `act_${options.accountId}`;
  const create = async (kind: AdObjectKind, params: Params): Promise<{ id: string }> =>
    shaped(
      Created,
      await graph.call(`create ${kind}`, 'POST', `${account}/${EDGES[kind].edge}`, params),
      `Meta: create ${kind}`,
    );

  return {
    account: () => readAccount(graph, options.accountId),
    createCampaign: (campaign) => create('campaign', campaignParams(campaign)),
    createAdSet: async (adSet) => create('ad-set', adSetParams(adSet)),
    createCreative: (creative) => create('creative', creativeParams(creative)),
    createAd: (ad) => create('ad', adParams(ad)),
    uploadVideo: (name, source) => uploadVideo(graph, `${account}/${EDGES.video.edge}`, name, source),
    async validate(object) {
      const params = { ...checkableParams(object), execution_options: ['validate_only'] };
      await graph.call(`validate ${object.kind}`, 'POST', `${account}/${EDGES[object.kind].edge}`, params);
    },
    async videoStatus(id) {
      const found = await unlessUnknown(graph.call('video status', 'GET', id, { fields: 'status,picture' }));
      return found === null ? null : videoStatusOf(shaped(Video, found, 'Meta: video status'));
    },
    async findByName(kind, name) {
      const same = (await search(graph, account, kind, name)).filter((object) => object.name === name);
      // Newest first: the oldest is the one a repeat would have duplicated.
      return same.at(-1) ?? null;
    },
    async read(kind, id) {
      const found = await unlessUnknown(
        graph.call(`read ${kind}`, 'GET', id, { fields: EDGES[kind].fields }),
      );
      return found === null ? null : objectOf(kind, shaped(Row, found, `Meta: read ${kind}`));
    },
    async listOwned(mark) {
      const owned: AdObject[] = [];
      for (const kind of DELETION_ORDER) owned.push(...(await search(graph, account, kind, mark)));
      return owned;
    },
    async remove(kind, id) {
      const deleted = await unlessUnknown(graph.call(`delete ${kind}`, 'DELETE', id, {}));
      if (deleted === null) return false;
      shaped(Success, deleted, `Meta: delete ${kind}`);
      return true;
    },
    usage: graph.usage,
  };
}

function checkableParams(object: Checkable): Params {
  switch (object.kind) {
    case 'campaign':
      return campaignParams(object.campaign);
    case 'ad-set':
      return adSetParams(object.adSet);
    case 'ad':
      return adParams(object.ad);
  }
}

/** Objects whose name contains `part`, newest first. Pages by cursor: `paging.next` has the token in its URL. */
async function search(graph: Graph, account: string, kind: AdObjectKind, part: string): Promise<AdObject[]> {
  const { edge, nameField, fields } = EDGES[kind];
  const narrow =
    kind === 'video'
      ? { title: part }
      : { filtering: [{ field: nameField, operator: 'CONTAIN', value: part }] };
  const found: AdObject[] = [];
  let after: string | undefined;
  for (let turned = 0; turned < MOST_PAGES; turned += 1) {
    const params = { fields, limit: PAGE_SIZE, after, ...narrow };
    const page = shaped(
      Page,
      await graph.call(`list ${edge}`, 'GET', `${account}/${edge}`, params),
      `Meta: list ${edge}`,
    );
    for (const row of page.data) {
      const object = objectOf(kind, row);
      // The vendor's filter is a hint: some edges ignore it, others ignore case.
      if (object?.name.includes(part) === true) found.push(object);
    }
    after = page.paging?.cursors?.after;
    if (page.paging?.next === undefined || after === undefined) return found;
  }
  throw new Refused(
    `Meta: the account has more than ${MOST_PAGES * PAGE_SIZE} ${edge}; finding one by name among them is not possible.`,
  );
}

function objectOf(kind: AdObjectKind, row: z.output<typeof Row>): AdObject | null {
  if (row.status === 'DELETED') return null;
  const name = row.name ?? row.title ?? '';
  if (kind === 'video' || kind === 'creative') return { kind, id: row.id, name, status: 'none' };
  const status = row.status === 'ACTIVE' ? 'active' : row.status === 'PAUSED' ? 'paused' : 'archived';
  return { kind, id: row.id, name, status };
}

function videoStatusOf(video: z.output<typeof Video>): VideoStatus {
  const { video_status: state, processing_phase: phase } = video.status;
  if (state === 'ready') return { state: 'ready', thumbnailUrl: video.picture ?? null, reason: null };
  if (state === 'error' || state === 'expired') {
    return { state: 'failed', thumbnailUrl: null, reason: phase?.errors?.[0]?.message ?? state };
  }
  return { state: 'processing', thumbnailUrl: null, reason: null };
}
