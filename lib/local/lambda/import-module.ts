// How is a module imported under a URL with a query?

/** Node's own import, whatever a test runner makes of the syntax in the files it transforms: load this file by `require`. */
export const importModule = (url: string): Promise<unknown> => import(url);
