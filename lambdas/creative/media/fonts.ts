// Where are the fonts that captions and samples are drawn with?
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Unavailable } from '../../runtime/errors.ts';
import type { Env } from '../../runtime/need.ts';

/** Files of the Inter family (OFL 1.1) by weight. */
export const FONT_FILES = {
  regular: '400Regular/Inter_400Regular.ttf',
  semibold: '600SemiBold/Inter_600SemiBold.ttf',
  bold: '700Bold/Inter_700Bold.ttf',
  black: '900Black/Inter_900Black.ttf',
} as const;
export type FontWeight = keyof typeof FONT_FILES;

/**
 * Path of a font file: `fonts/<file name>` in $ASSETS_DIR or beside the bundle, else the npm package. Never fontconfig, whose
 * answer depends on the machine.
 * @throws Unavailable when neither is there.
 */
export function fontPath(weight: FontWeight = 'bold', env: Env = process.env): string {
  const file = FONT_FILES[weight];
  const assets = env['ASSETS_DIR'] ?? env['LAMBDA_TASK_ROOT'];
  if (assets !== undefined && assets !== '') {
    const path = join(assets, 'fonts', file.slice(file.indexOf('/') + 1));
    if (existsSync(path)) return path;
  }
  let path: string;
  try {
    path = fileURLToPath(new URL(file, import.meta.resolve('@expo-google-fonts/inter/package.json')));
  } catch (error) {
    throw new Unavailable('The Inter fonts are missing: set ASSETS_DIR to a folder that has fonts/.', {
      cause: error,
    });
  }
  if (!existsSync(path)) throw new Unavailable(`The font file ${path} is missing.`);
  return path;
}
