// What of asl-validator do we call? The package has no types.
declare module 'asl-validator' {
  function validate(
    definition: unknown,
    options: { checkArn: boolean; checkPaths: boolean },
  ): { isValid: boolean; errors: readonly object[] };
  export = validate;
}
