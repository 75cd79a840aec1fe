// Which rights are granted although no test on the embedded cloud needs them, and why?
import type { GrantedRight } from '../support/grant-use.ts';

export interface GrantReason {
  /** Of the role's name, which holds the function's: `StartTranscriptionRole`; every role when absent. */
  role?: RegExp;
  action: RegExp;
  /** As deployed: an ARN. */
  resource: RegExp;
  reason: string;
}

export const GRANT_REASONS: readonly GrantReason[] = [
  {
    action: /^logs:/,
    resource: /./,
    reason: 'Lambda and Step Functions write logs themselves; the embedded cloud has no CloudWatch Logs.',
  },
  {
    action: /^xray:/,
    resource: /^\*$/,
    reason: 'Active tracing is done by the services; the embedded cloud has no X-Ray.',
  },
  {
    action: /^kms:/,
    resource: /./,
    reason:
      'Secrets Manager and SNS decrypt with the key on our behalf; the embedded cloud keeps secrets unencrypted.',
  },
  {
    action: /^s3:(GetObject|PutObject)$/,
    resource: /\/\*\/claims\/\*$/,
    reason:
      'Every task may meet a payload above 100 KB; the claim check is proven with one task, not with each.',
  },
  {
    action: /^s3:ListBucket$/,
    resource: /^arn:aws:s3:::[^/]*$/,
    reason: 'S3 looks at it only when an object is not there: a claim or a file that is gone.',
  },
  {
    action: /^dynamodb:Query$/,
    resource: /:table\/[\w-]+-(runs|creatives|changes)(\/index\/\*)?$/,
    reason:
      'The right to query an indexed table covers table and indexes; some functions query only the one.',
  },
  {
    action: /^dynamodb:(GetItem|PutItem|DeleteItem)$/,
    resource: /:table\/[\w-]+-circuits$/,
    reason:
      'Every vendor call may find, open and close a circuit; the life of a circuit is proven once (circuits.test.ts), not per function.',
  },
  {
    role: /(StartUpload|WatchDrive|AskForReview)Role/,
    action: /^dynamodb:(GetItem|PutItem|UpdateItem)$/,
    resource: /:table\/[\w-]+-runs$/,
    reason:
      'runsNeed grants what its kind of access may take: opening, reading, moving and closing a row; these do only a part.',
  },
  {
    role: /^(?!.*(StartUpload|WatchDrive|Api)Role)/,
    action: /^dynamodb:PutItem$/,
    resource: /:table\/[\w-]+-runs$/,
    reason:
      'Whichever step comes first makes the row of a run that was started past the API; in the tests it is the first state.',
  },
  {
    action: /^s3:GetObject$/,
    resource: /\/models\/\*$/,
    reason:
      'Read once a tenant has a trained model, which no area makes yet; until then the table says that there is none.',
  },
  {
    role: /(CreativesApi|Executions|ChangesApi)Role/,
    action: /^dynamodb:(GetItem|DeleteItem)$/,
    resource: /:table\/[\w-]+-runs$/,
    reason:
      'An idempotency key is let go when its request failed: proven for all routes in define-routes.test.ts.',
  },
  {
    role: /UndoQueueGoLiveRole/,
    action: /^dynamodb:(GetItem|PutItem)$/,
    resource: /:table\/[\w-]+-(changes|creatives)$/,
    reason:
      'Only for a change that was taken before its undo, and for an experiment that replaced another (undo-queue-go-live.task.test.ts).',
  },
  {
    role: /(StartTranscription|ReadTranscription)Role/,
    action: /^s3:(GetObject|PutObject)$/,
    resource: /\/(\*\/sources|\*\/analysis|uploads)\/\*$/,
    reason:
      'Transcribe reads the sound and writes the words with the caller’s rights; the simulated one asks for none, and both steps share the port.',
  },
  {
    role: /LabelScenesRole/,
    action: /^s3:GetObject$/,
    resource: /\/(\*\/frames|uploads)\/\*$/,
    reason:
      'Rekognition reads frames with the caller’s rights, and the simulated one asks for none; labels of one’s own are read in label-scenes.task.test.ts.',
  },
  {
    role: /RenderSingleRole/,
    action: /^s3:(GetObject|PutObject)$/,
    resource: /\/\*\/(sources|renders)\/\*$/,
    reason:
      'A lone variation is rendered from nothing in render-single.task.test.ts; deployed, the tests let it find one that is there.',
  },
  {
    action: /^(rekognition:Detect(Labels|Text)|transcribe:(Start|Get)TranscriptionJob|bedrock:InvokeModel)$/,
    resource: /^\*$/,
    reason:
      'Simulated by the sandbox, which knows no roles; what is asked of them is proven by the contracts of the ports (test/ports).',
  },
  {
    role: /(StartTranscription|ReadTranscription)Role/,
    action: /^secretsmanager:GetSecretValue$/,
    resource: /:secret:impresario\/platform\/\*$/,
    reason: 'The key of an OpenAI-compatible transcription; the deployed tests listen with Transcribe.',
  },
  {
    role: /SettleRunRole/,
    action: /^states:DescribeExecution$/,
    resource: /:execution:impresario-dev-\*:\*$/,
    reason:
      'Asked only when the status event left out an input above 256 KB, which the embedded bus never does.',
  },
  {
    role: /ScheduleRole/,
    action: /^sqs:SendMessage$/,
    resource: /-dead-letters$/,
    reason:
      'The scheduler sends here what it could not hand to the function for six hours: proven in test/local/scheduler.',
  },
  {
    role: /(WatchDrive|SweepAudit|SweepRuns|SweepChanges|ExpireChanges|WakeChanges)Role/,
    action: /^sqs:(SendMessage|GetQueueAttributes|GetQueueUrl)$/,
    resource: /-dead-letters$/,
    reason:
      'Lambda sends here what failed three times; the CDK grants a destination the two reads as well, which nobody needs.',
  },
  {
    role: /ExpireChangesRole/,
    action: /^(dynamodb:GetItem|s3:DeleteObject)$/,
    resource: /(:table\/[\w-]+-changes|\/records\/\*)$/,
    reason:
      'A record is left over only when a step died between writing and saying so: expire-changes.trigger.test.ts plays it.',
  },
  {
    role: /ReleaseChangeRole/,
    action: /^dynamodb:PutItem$/,
    resource: /:table\/[\w-]+-audit$/,
    reason:
      'Only a change that is given up is audited there; the fifth failure of one is played in release-change.task.test.ts.',
  },
  {
    role: /WakeChangesRole/,
    action: /^dynamodb:(DescribeStream|GetRecords|GetShardIterator)$/,
    resource: /\/stream\/[\w:.-]+$/,
    reason:
      'Lambda reads the stream with the function’s rights; the embedded cloud hands the records over itself.',
  },
];

/** Does the reason speak of this right? */
export function excuses({ role = /./, action, resource }: GrantReason, right: GrantedRight): boolean {
  return role.test(right.roleArn) && action.test(right.action) && resource.test(right.resource);
}
