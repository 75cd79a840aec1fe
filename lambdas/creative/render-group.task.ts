// How are variations that share a source rendered by one ffmpeg?
import { renderStep } from './render-step.ts';

export const { handler, task } = renderStep('RenderGroup');
