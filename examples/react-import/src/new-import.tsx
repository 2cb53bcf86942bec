import { accepted, send } from 'customer-service-client';
import { CreateImportDocument, StartImportDocument } from 'customer-service-client/operations';
import { type FormEvent, useState } from 'react';
import { useClient } from 'urql';

/** Announce a file, send it straight to the object store, start. */
export function NewImport({ onStarted }: { onStarted: (id: string) => void }) {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  const begin = async (file: File, dryRun: boolean) => {
    const input = { fileName: file.name, size: file.size, mode: 'CREATE', dryRun } as const;
    const created = await client.mutation(CreateImportDocument, { input });
    const { bulkImport, upload } = accepted(answered(created).createBulkImport);
    if (!bulkImport || !upload) {
      throw new Error('The service gave an answer that makes no sense.');
    }
    await send(upload, file);
    accepted(answered(await client.mutation(StartImportDocument, { id: bulkImport.id })).startBulkImport);
    onStarted(bulkImport.id);
  };

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(undefined);
    begin(form.get('file') as File, form.has('dryRun'))
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };

  return (
    <form onSubmit={submit}>
      <label>
        A CSV file of customers
        <input type="file" name="file" accept=".csv,text/csv" required />
      </label>
      <label className="beside">
        <input type="checkbox" name="dryRun" /> Only try it: write nothing
      </label>
      <button type="submit" className="main" disabled={busy}>
        {busy ? 'Sending …' : 'Import'}
      </button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}

/** The data of an answer; what went wrong is thrown. */
export function answered<Data>({ data, error }: { data?: Data | undefined; error?: Error | undefined }): Data {
  if (error || !data) {
    throw error ?? new Error('The service did not answer.');
  }
  return data;
}
