import type { JSX } from 'preact';

import type { ColumnMapping, PreviewQuery } from '../operations';
import { Badge } from '../parts/basics';
import { COLUMN_USE, plural } from '../words';
import { ATTRIBUTE, TARGETS, targetName } from './targets';

type Preview = NonNullable<PreviewQuery['previewBulkImport']>;
type Column = Preview['columns'][number];

const BY_ITSELF = '';

/** What somebody has chosen about columns, as far as a preview tells. */
export const chosenIn = (preview: Preview): ColumnMapping[] =>
  preview.columns.flatMap(({ name, target, use }) => (use === 'CHOSEN' && target ? [{ from: name, to: target }] : []));

/** Send *from* to *to*. Whatever was sent there before goes where its name says. */
export function chosenWith(chosen: readonly ColumnMapping[], from: string, to: string): ColumnMapping[] {
  const others = chosen.filter((one) => one.from !== from && one.to !== to);
  return to === BY_ITSELF ? others : [...others, { from, to }];
}

interface MappingProps {
  preview: Preview;
  chosen: readonly ColumnMapping[];
  onChange: (chosen: ColumnMapping[]) => void;
}

/** Every column of the file, where it goes, and why. */
export function Mapping({ preview, chosen, onChange }: MappingProps): JSX.Element {
  const columns = columnsOf(preview, chosen);
  const kept = columns.filter((column) => column.use === 'UNKNOWN' || column.use === 'SHADOWED').length;
  return (
    <>
      <p class="muted">
        {columns.length} {plural(columns.length, 'column')}.{' '}
        {kept > 0 && `${kept} ${plural(kept, 'has', 'have')} no place of ${plural(kept, 'its', 'their')} own and ${plural(kept, 'is', 'are')} kept as ${plural(kept, 'an attribute', 'attributes')}. `}
        Choose another place where the guess is wrong.
      </p>
      <ul class="mapping">
        {columns.map((column, number) => (
          <MappingRow
            key={column.name}
            id={`column-${number}`}
            column={column}
            chosen={chosen.find((one) => one.from === column.name)?.to ?? BY_ITSELF}
            onChange={(to) => onChange(chosenWith(chosen, column.name, to))}
          />
        ))}
      </ul>
    </>
  );
}

/** When the columns cannot be mapped as they are, the preview names none; the header still does. */
function columnsOf({ columns, format }: Preview, chosen: readonly ColumnMapping[]): Column[] {
  if (columns.length > 0 || !format) {
    return columns;
  }
  // Choices for columns that the file turned out not to have are listed too, so that they can be taken back.
  return [...new Set([...format.header, ...chosen.map((one) => one.from)])].map((name) => {
    const target = chosen.find((one) => one.from === name)?.to ?? null;
    return { name, target, use: target === null ? 'UNKNOWN' : 'CHOSEN' };
  });
}

interface RowProps {
  id: string;
  column: Column;
  chosen: string;
  onChange: (to: string) => void;
}

function MappingRow({ id, column, chosen, onChange }: RowProps): JSX.Element {
  const { name, target, use } = column;
  const own = `${ATTRIBUTE}${name}`;
  const itself = use === 'CHOSEN' || target === null ? null : targetName(target);
  return (
    <li class={use.toLowerCase()}>
      <label for={id}>{name || 'Without a name'}</label>
      <select id={id} value={chosen} aria-describedby={`${id}-use`} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value={BY_ITSELF}>{use === 'CHOSEN' ? 'As its name says' : (itself ?? 'Left out')}</option>
        {TARGETS.map(({ group, targets }) => (
          <optgroup key={group} label={group}>
            {targets.map(([value, text]) => (
              <option key={value} value={value}>
                {group === 'Customer' || group === 'Document' ? text : `${group.split(' ')[0]}: ${text.toLowerCase()}`}
              </option>
            ))}
          </optgroup>
        ))}
        <optgroup label="Anything else">
          {chosen.startsWith(ATTRIBUTE) && chosen !== own && <option value={chosen}>{targetName(chosen)}</option>}
          <option value={own}>{targetName(own)}</option>
        </optgroup>
      </select>
      <span id={`${id}-use`} class="use">
        <Badge word={COLUMN_USE[use]} />
      </span>
    </li>
  );
}
