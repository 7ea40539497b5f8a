import { liveFiles, manifestContent } from './manifest-list.ts';
import type { ManifestFile } from './manifest-list.ts';

/** As many manifests of about one size are merged into one of the next: the list stays short, each entry moves rarely. */
export const mergeFactor = 20;

function tier(manifest: ManifestFile): number {
  return Math.floor(Math.log(Math.max(liveFiles(manifest), 1)) / Math.log(mergeFactor));
}

/** The data manifests that the next commit should write as one; none when no tier is full. */
export function manifestsToMerge(manifests: readonly ManifestFile[]): readonly ManifestFile[] {
  const tiers = new Map<number, ManifestFile[]>();
  for (const manifest of manifests) {
    if (manifest.content !== manifestContent.data) continue;
    const members = tiers.get(tier(manifest)) ?? [];
    members.push(manifest);
    tiers.set(tier(manifest), members);
  }
  const full = [...tiers.entries()].sort((a, b) => a[0] - b[0]).find(([, members]) => members.length >= mergeFactor);
  return full?.[1].slice(0, mergeFactor) ?? [];
}
