// How does Bedrock's Converse answer on a laptop?
import { awsErrorReply, awsFailure, AwsServiceError } from '../aws-wire.ts';
import { createScripts, type Script } from '../model-scripts.ts';
import type { SandboxReply, SandboxRequest, Vendor } from '../vendor.ts';

export interface Bedrock extends Vendor {
  /** Answers Converse requests from now on; later scripts are asked first. */
  script(script: Script): void;
}

interface ConverseBody {
  system?: { text?: string }[];
  messages?: { role: string; content: { text?: string }[] }[];
  toolConfig?: { tools?: { toolSpec?: { name: string; inputSchema?: { json?: unknown } } }[] };
}

export function createBedrock(): Bedrock {
  const scripts = createScripts();

  const converse = (model: string, body: ConverseBody): SandboxReply => {
    const messages = body.messages ?? [];
    const tool = body.toolConfig?.tools?.[0]?.toolSpec;
    const answer = scripts.answer({
      model,
      system: body.system?.[0]?.text ?? '',
      user: messages[0]?.content[0]?.text ?? '',
      schema: tool?.inputSchema?.json,
      // Converse keeps the system prompt outside the messages; counted as OpenAI does.
      turns: messages.length + 1,
    });
    const usesTool = tool !== undefined && typeof answer === 'object';
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    return {
      status: 200,
      body: {
        output: {
          message: {
            role: 'assistant',
            content: usesTool
              ? [{ toolUse: { toolUseId: 'tooluse_1', name: tool.name, input: answer } }]
              : [{ text }],
          },
        },
        stopReason: usesTool ? 'tool_use' : 'end_turn',
        usage: { inputTokens: 100, outputTokens: 100, totalTokens: 200 },
        metrics: { latencyMs: 10 },
      },
    };
  };

  return {
    name: 'bedrock',
    script: scripts.add,
    async handle(request: SandboxRequest) {
      const model = /^\/model\/([^/]+)\/converse$/.exec(request.path)?.[1];
      if (request.method !== 'POST' || model === undefined) {
        return awsErrorReply(
          new AwsServiceError(
            'UnknownOperationException',
            `${request.method} ${request.path} is not simulated.`,
            404,
          ),
        );
      }
      return converse(decodeURIComponent(model), JSON.parse(request.body.toString('utf8')) as ConverseBody);
    },
    failure(kind) {
      if (kind === 'nonsense') {
        return {
          status: 200,
          body: {
            output: { message: { role: 'assistant', content: [{ text: 'Certainly! {"this": ' }] } },
            stopReason: 'max_tokens',
            usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
            metrics: { latencyMs: 10 },
          },
        };
      }
      return awsFailure(kind, { throttle: 'ThrottlingException', refuse: 'ValidationException' });
    },
    reset: scripts.clear,
  };
}
