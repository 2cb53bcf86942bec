import type { JSX } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';

import { Problem } from '../api';
import { bytes, percent } from '../format';
import { Button, Panel, ProblemNotice } from '../parts/basics';
import { Icon } from '../parts/icons';
import { Meter } from '../parts/meter';
import { Page } from '../parts/page';
import { useSending } from './sending';

export function NewImport(): JSX.Element {
  const { sending, problem, refuse, send, stop } = useSending();
  const take = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (!file) {
      return;
    }
    if (files.length > 1) {
      refuse(new Problem('Choose one file at a time.', 'INVALID'));
    } else if (file.size === 0) {
      refuse(new Problem(`${file.name} is empty. Choose another file.`, 'INVALID'));
    } else {
      send({ file, settings: {} });
    }
  };
  return (
    <Page
      title="New import"
      back={{ to: '/imports', text: 'Imports' }}
      lead="Choose a file of customers. Nothing is imported before you have seen what was recognised."
    >
      {problem && <ProblemNotice problem={problem} />}
      {sending ? (
        <section class="panel sending" aria-label="Upload">
          <p>
            Sending <strong>{sending.file.name}</strong> ({bytes(sending.file.size)}) …
          </p>
          <Meter label="Upload" share={sending.share} />
          <p class="row between">
            <span class="muted">{percent(sending.share)}</span>
            <Button look="quiet" onClick={stop}>
              Stop
            </Button>
          </p>
        </section>
      ) : (
        <DropArea take={take} />
      )}
      <Panel id="which-files" title="Which files">
        <ul class="plain-list">
          <li>CSV with a header: comma, semicolon, tab or bar; UTF-8 or UTF-16, others when you say so. At most 1 GB.</li>
          <li>The customer exports of Shopify, WooCommerce, Magento and HubSpot map by themselves; so do plain headings.</li>
          <li>Each row needs an e-mail address, a phone number or a reference of yours.</li>
          <li>A row that is wrong costs itself only: you get it back with the reason, to mend and send again.</li>
        </ul>
      </Panel>
    </Page>
  );
}

function DropArea({ take }: { take: (files: FileList | null | undefined) => void }): JSX.Element {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  return (
    <div
      class={`drop ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <Icon name="upload" />
      <label for={id}>Drop a CSV file here</label>
      <span class="muted">or</span>
      <Button look="main" onClick={() => input.current?.click()}>
        Choose a file
      </Button>
      <input
        ref={input}
        id={id}
        class="unseen"
        type="file"
        tabIndex={-1}
        accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values"
        onChange={(event) => {
          take(event.currentTarget.files);
          // So that the same file can be chosen again after it was mended.
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}
