// Are the parts of a Map that only DISTRIBUTED mode knows well formed?
import type { Json } from '../types.ts';
import {
  BATCHER_FIELDS,
  DISTRIBUTED_FIELDS,
  READER_CONFIG_FIELDS,
  READER_FIELDS,
  WRITER_FIELDS,
} from './fields.ts';
import type { Report } from './validate-values.ts';

const READERS = ['arn:aws:states:::s3:getObject', 'arn:aws:states:::s3:listObjectsV2'];
const LABEL_LIMIT = 40;

export function checkDistributed(raw: Json, distributed: boolean, where: string, report: Report): void {
  const known = (part: object, allowed: readonly string[], at: string) => {
    for (const field of Object.keys(part))
      if (!allowed.includes(field)) report(`The field '${field}' is not supported here`, at);
  };
  const config = raw.ItemProcessor.ProcessorConfig ?? {};
  known(config, ['Mode', 'ExecutionType'], `${where}/ItemProcessor/ProcessorConfig`);
  if (config.Mode !== undefined && !['INLINE', 'DISTRIBUTED'].includes(config.Mode))
    report('Mode must be INLINE or DISTRIBUTED', where);
  if (!distributed) {
    if (config.ExecutionType !== undefined) report('ExecutionType is for DISTRIBUTED mode only', where);
    for (const field of DISTRIBUTED_FIELDS)
      if (raw[field] !== undefined) report(`The field '${field}' is for DISTRIBUTED mode only`, where);
    return;
  }
  if (!['STANDARD', 'EXPRESS'].includes(config.ExecutionType))
    report('DISTRIBUTED mode needs ExecutionType STANDARD or EXPRESS', where);
  if (raw.Label !== undefined && !(/^[\w-]+$/.test(raw.Label) && raw.Label.length <= LABEL_LIMIT))
    report(`Label must be letters, digits, - and _, at most ${LABEL_LIMIT}`, where);
  const { ItemReader: reader, ItemBatcher: batcher, ResultWriter: writer } = raw;
  if (reader !== undefined) {
    const at = `${where}/ItemReader`;
    const { ReaderConfig: format = {} } = reader;
    known(reader, READER_FIELDS, at);
    known(format, READER_CONFIG_FIELDS, `${at}/ReaderConfig`);
    if (raw.Items !== undefined) report('A Map reads Items or has an ItemReader, not both', where);
    if (!READERS.includes(reader.Resource)) report(`The reader '${reader.Resource}' is not supported`, at);
    if (reader.Arguments === undefined) report('An ItemReader needs Arguments', at);
    if (reader.Resource === READERS[0] && !['JSON', 'JSONL', 'CSV'].includes(format.InputType))
      report('InputType must be JSON, JSONL or CSV', at);
    if (format.InputType === 'CSV' && !['FIRST_ROW', 'GIVEN'].includes(format.CSVHeaderLocation))
      report('CSV needs CSVHeaderLocation FIRST_ROW or GIVEN', at);
    if (format.CSVHeaderLocation === 'GIVEN' && !Array.isArray(format.CSVHeaders))
      report('CSVHeaderLocation GIVEN needs CSVHeaders', at);
  }
  if (batcher !== undefined) {
    known(batcher, BATCHER_FIELDS, `${where}/ItemBatcher`);
    if (batcher.MaxItemsPerBatch === undefined && batcher.MaxInputBytesPerBatch === undefined)
      report('An ItemBatcher needs MaxItemsPerBatch or MaxInputBytesPerBatch', where);
  }
  if (writer !== undefined) {
    const at = `${where}/ResultWriter`;
    known(writer, WRITER_FIELDS, at);
    known(writer.WriterConfig ?? {}, ['Transformation', 'OutputType'], `${at}/WriterConfig`);
    if ((writer.Resource === undefined) !== (writer.Arguments === undefined))
      report('A ResultWriter needs Resource and Arguments, or neither', at);
    if (writer.Resource !== undefined && writer.Resource !== 'arn:aws:states:::s3:putObject')
      report(`The writer '${writer.Resource}' is not supported`, at);
    if (!['NONE', 'COMPACT', 'FLATTEN'].includes(writer.WriterConfig?.Transformation ?? 'NONE'))
      report('Transformation must be NONE, COMPACT or FLATTEN', at);
    if (!['JSON', 'JSONL'].includes(writer.WriterConfig?.OutputType ?? 'JSON'))
      report('OutputType must be JSON or JSONL', at);
  }
}
