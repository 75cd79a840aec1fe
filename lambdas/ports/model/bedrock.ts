// How does a model on Bedrock complete a prompt?
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type BedrockRuntimeClientConfig,
  type Tool,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import * as z from 'zod';
import { Unavailable } from '../../runtime/errors.ts';
import { awsVendorCall } from '../aws-vendor.ts';
import { answerWithin } from './answers.ts';
import type { Model } from './model.ts';

const NAMES = {
  invalidInput: ['ValidationException'],
  refused: ['ResourceNotFoundException'],
  unavailable: ['ModelTimeoutException', 'ModelErrorException', 'ModelNotReadyException'],
};

/** The answer is the input of this tool: the one way to JSON that every Converse model with tools has. */
const TOOL = 'answer';

export type BedrockOptions = Omit<BedrockRuntimeClientConfig, 'requestHandler'> & {
  requestHandler: NodeHttpHandlerOptions;
};

/** The client decides region, credentials and timeouts. Bedrock knows no seeds. */
export function createBedrockModel(options: BedrockOptions, modelId: string): Model {
  // The client's own default is HTTP/2, which only bidirectional streams need.
  const client = new BedrockRuntimeClient({
    ...options,
    requestHandler: new NodeHttpHandler(options.requestHandler),
  });
  return {
    name: `bedrock/${modelId}`,
    complete(completion) {
      const { task, system, schema, maxTokens, temperature } = completion;
      // A tool's schema must be an object; the JSON Schema dialect is not part of it.
      const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
      const tool = {
        toolSpec: { name: TOOL, description: `Takes the answer: ${task}.`, inputSchema: { json } },
      } as Tool;
      return answerWithin(completion, async (turns) => {
        const command = new ConverseCommand({
          modelId,
          system: [{ text: system }],
          messages: turns.map(({ role, text }) => ({ role, content: [{ text }] })),
          toolConfig: { tools: [tool], toolChoice: { tool: { name: TOOL } } },
          inferenceConfig: { maxTokens, temperature },
        });
        const { output } = await awsVendorCall(`Bedrock: ${task}`, NAMES, () => client.send(command));
        const content = output?.message?.content;
        if (content === undefined) throw new Unavailable(`Bedrock: ${task} was answered without a message.`);
        const used = content.find((block) => block.toolUse !== undefined)?.toolUse?.input;
        return used ?? content.map((block) => block.text ?? '').join('');
      });
    },
  };
}
