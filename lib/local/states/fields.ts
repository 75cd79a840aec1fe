// Which fields may a JSONata state have?

const ALWAYS = ['Type', 'Comment', 'QueryLanguage'];
const FLOW = ['Next', 'End', 'Assign', 'Output'];
const ERRORS = ['Retry', 'Catch'];

/** Fields by state type (Amazon States Language, JSONata). */
export const STATE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pass: [...ALWAYS, ...FLOW],
  Task: [...ALWAYS, ...FLOW, ...ERRORS, 'Resource', 'Arguments', 'TimeoutSeconds', 'HeartbeatSeconds'],
  Choice: [...ALWAYS, 'Choices', 'Default', 'Assign', 'Output'],
  Wait: [...ALWAYS, ...FLOW, 'Seconds', 'Timestamp'],
  Succeed: [...ALWAYS, 'Output'],
  Fail: [...ALWAYS, 'Error', 'Cause'],
  Parallel: [...ALWAYS, ...FLOW, ...ERRORS, 'Branches', 'Arguments'],
  Map: [...ALWAYS, ...FLOW, ...ERRORS, 'Items', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency'],
};

/** What a Map may have only in DISTRIBUTED mode. */
export const DISTRIBUTED_FIELDS = [
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'ToleratedFailureCount',
  'ToleratedFailurePercentage',
  'Label',
];

export const JSONPATH_FIELDS = new Set([
  'InputPath',
  'OutputPath',
  'ResultPath',
  'ResultSelector',
  'Parameters',
  'Result',
  'ItemsPath',
  'Iterator',
  'SecondsPath',
  'TimestampPath',
  'TimeoutSecondsPath',
  'HeartbeatSecondsPath',
  'ErrorPath',
  'CausePath',
  'MaxConcurrencyPath',
  'ToleratedFailureCountPath',
  'ToleratedFailurePercentagePath',
  'Variable',
]);

export const MACHINE_FIELDS = ['Comment', 'StartAt', 'States', 'Version', 'TimeoutSeconds', 'QueryLanguage'];
export const BRANCH_FIELDS = ['Comment', 'StartAt', 'States'];
export const PROCESSOR_FIELDS = [...BRANCH_FIELDS, 'ProcessorConfig'];
export const CHOICE_FIELDS = ['Comment', 'Condition', 'Next', 'Assign', 'Output'];
export const CATCHER_FIELDS = ['Comment', 'ErrorEquals', 'Next', 'Assign', 'Output'];
export const RETRIER_FIELDS = [
  'Comment',
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
];
export const READER_FIELDS = ['Resource', 'Arguments', 'ReaderConfig'];
export const READER_CONFIG_FIELDS = [
  'InputType',
  'CSVHeaderLocation',
  'CSVHeaders',
  'CSVDelimiter',
  'MaxItems',
  'ItemsPointer',
];
export const BATCHER_FIELDS = ['MaxItemsPerBatch', 'MaxInputBytesPerBatch', 'BatchInput'];
export const WRITER_FIELDS = ['Resource', 'Arguments', 'WriterConfig'];
