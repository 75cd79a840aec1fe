// How do state machines get deployed?
import { pick, requireTrust } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

export const statesResources: ResourceKinds = {
  'AWS::StepFunctions::StateMachine': {
    reads: ['StateMachineName', 'StateMachineType', 'DefinitionString', 'DefinitionSubstitutions', 'RoleArn'],
    ignores: ['LoggingConfiguration', 'TracingConfiguration', 'EncryptionConfiguration'],
    async create(properties, context) {
      const name = properties.StateMachineName ?? context.name(80);
      requireTrust(context, properties.RoleArn, 'states.amazonaws.com');
      if (properties.DefinitionString === undefined) {
        throw new Error('a definition other than DefinitionString is not supported');
      }
      const substitutions: Record<string, unknown> = properties.DefinitionSubstitutions ?? {};
      const definition = String(properties.DefinitionString).replaceAll(
        /\$\{([^}]+)\}/g,
        (whole, key: string) => (key in substitutions ? String(substitutions[key]) : whole),
      );
      const unbound = /\$\{[^}]+\}/.exec(definition)?.[0];
      if (unbound !== undefined) throw new Error(`the placeholder ${unbound} is not bound`);
      const { stateMachineArn } = await context.call('states', 'CreateStateMachine', {
        name,
        definition,
        type: properties.StateMachineType ?? 'STANDARD',
        ...pick({ roleArn: properties.RoleArn }, ['roleArn']),
      });
      return { ref: stateMachineArn, attributes: { Arn: stateMachineArn, Name: name } };
    },
  },
};
