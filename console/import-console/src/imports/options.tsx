import type { JSX } from 'preact';

import type { BulkImportEncoding, BulkImportPatch, PreviewQuery, StateFragment } from '../operations';
import { Choices, PickOne } from '../parts/choices';
import { DELIMITER, ENCODING } from '../words';

type Format = NonNullable<PreviewQuery['previewBulkImport']>['format'];

/** What a row does, and how much it has to be. */
export type Choice = Pick<StateFragment, 'mode' | 'matchBy' | 'validation'>;

interface OptionsProps {
  choice: Choice;
  format: Format;
  /** What was said about the file; null is what it is recognised by. */
  encoding: BulkImportEncoding | null;
  delimiter: string | null;
  onChange: (patch: BulkImportPatch) => void;
}

const AUTO = 'AUTO';

/** What a row does, how much it has to be, and how the file is written. */
export function Options({ choice, format, encoding, delimiter, onChange }: OptionsProps): JSX.Element {
  return (
    <>
      <Choices
        legend="Customers that exist already"
        value={choice.mode}
        onChange={(mode) => onChange({ mode })}
        choices={[
          { value: 'CREATE', text: 'Leave alone', hint: 'A row for one of them is refused.' },
          { value: 'UPSERT', text: 'Update', hint: 'A row changes the customer it matches. Empty cells change nothing.' },
        ]}
      />
      {choice.mode === 'UPSERT' && (
        <PickOne
          label="Find them by"
          value={choice.matchBy}
          onChange={(matchBy) => onChange({ matchBy })}
          options={[
            { value: 'EXTERNAL_ID', text: 'Your reference' },
            { value: 'EMAIL', text: 'E-mail address' },
            { value: 'PHONE', text: 'Phone' },
          ]}
        />
      )}
      <Choices
        legend="Rows that are not quite right"
        value={choice.validation}
        onChange={(validation) => onChange({ validation })}
        choices={[
          { value: 'LENIENT', text: 'Take, with a remark', hint: 'Refused only when nobody could tell who it is.' },
          { value: 'STRICT', text: 'Refuse', hint: 'Any problem refuses the row.' },
        ]}
      />
      <PickOne
        label="Characters"
        hint={format && encoding === null ? `Recognised: ${ENCODING[format.encoding]}${format.byteOrderMark ? ', with its mark' : ''}` : 'Names look broken? Try another one.'}
        value={encoding ?? AUTO}
        onChange={(value) => onChange({ encoding: value === AUTO ? null : value })}
        options={[
          { value: AUTO, text: 'Recognise' },
          ...Object.entries(ENCODING).map(([value, text]) => ({ value: value as BulkImportEncoding, text })),
        ]}
      />
      <PickOne
        label="Cells are separated by"
        hint={format && delimiter === null ? `Recognised: ${(DELIMITER[format.delimiter] ?? format.delimiter).toLowerCase()}` : 'Everything in one column? Try another one.'}
        value={delimiter ?? AUTO}
        onChange={(value) => onChange({ delimiter: value === AUTO ? null : value })}
        options={[{ value: AUTO, text: 'Recognise' }, ...Object.entries(DELIMITER).map(([value, text]) => ({ value, text }))]}
      />
    </>
  );
}
