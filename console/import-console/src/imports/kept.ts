// Files that were chosen while this page was open, and how they were to be read: what was checked in a dry run can be imported
// without being chosen again. In memory only, and gone with the page.

import type { BulkImportInput } from '../operations';

export interface Kept {
  file: File;
  settings: Omit<BulkImportInput, 'fileName' | 'size' | 'dryRun'>;
}

const kept = new Map<string, Kept>();

export const keep = (id: string, entry: Kept): void => void kept.set(id, entry);
export const keptFor = (id: string): Kept | undefined => kept.get(id);

/** Remember what was changed about an import since. */
export function keepSettings(id: string, changes: Partial<Kept['settings']>): void {
  const entry = kept.get(id);
  if (entry) {
    kept.set(id, { ...entry, settings: { ...entry.settings, ...changes } });
  }
}
