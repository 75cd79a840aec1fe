// How is one variation rendered by itself, after its group failed?
import { renderStep } from './render-step.ts';

export const { handler, task } = renderStep('RenderSingle');
