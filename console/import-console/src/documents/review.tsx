import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';

import { accept, ask } from '../api';
import { day, when } from '../format';
import { type DocumentRejectionReason, OneDocument, type PaperFragment, ReviewDocument } from '../operations';
import { Badge, Button, Empty, Facts, Link, Loading, Notice, Panel, ProblemNotice } from '../parts/basics';
import { Page } from '../parts/page';
import { useAction, useAsk } from '../use-ask';
import { ADDRESS_KIND, DOCUMENT_STATUS, DOCUMENT_TYPE, REJECTION, WITHHELD } from '../words';
import { describeFile, ShownFile } from './file';

const BACK = { to: '/documents', text: 'Documents' };
const LONGEST_REASON = 500;

/** One document: its file, what is said about it, and the decision. */
export function DocumentPage({ id }: { id: string }): JSX.Element {
  const { data, problem, loading, again } = useAsk(OneDocument, { id });
  const [decided, setDecided] = useState<PaperFragment | null>(null);
  const found = data?.document ?? null;
  const document = decided && found && decided.version >= found.version ? decided : found;
  if (!document) {
    return (
      <Page title="Document" back={BACK}>
        {problem && <ProblemNotice problem={problem} again={again} />}
        {!problem && !data && <Loading what="the document" />}
        {data && <Empty icon="paper" title="There is no such document" />}
      </Page>
    );
  }
  const title = DOCUMENT_TYPE[document.type];
  const { customer, file } = document;
  const whose = customer.fullName || customer.email || customer.id;
  return (
    <Page
      title={title}
      back={BACK}
      badges={<Badge word={DOCUMENT_STATUS[document.status]} />}
      moment={document.status}
      lead={
        <>
          of <Link to={`/customers/${customer.id}`}>{whose}</Link>
        </>
      }
    >
      <div class="beside">
        <div class="stack">
          <Panel
            id="file"
            title="File"
            aside={
              file?.download && (
                <a class="small" href={file.download.url} rel="noreferrer">
                  Download {describeFile(file)}
                </a>
              )
            }
          >
            <Sheet document={document} title={`${title} of ${whose}`} again={again} />
          </Panel>
        </div>
        <div class="stack side">
          <Decision key={document.version} document={document} loading={loading} onDecided={setDecided} again={again} />
          <Panel id="details" title="What is said about it">
            <Details document={document} />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

const ASK_AGAIN = 3000;

/** The file, or why there is none to be seen. */
function Sheet({ document, title, again }: { document: PaperFragment; title: string; again: () => void }): JSX.Element {
  const { file, scan } = document;
  const verdict = scan?.verdict;
  useEffect(() => {
    if (verdict !== 'PENDING') {
      return undefined;
    }
    const asking = setInterval(again, ASK_AGAIN);
    return () => clearInterval(asking);
  }, [verdict, again]);
  if (!file || !verdict) {
    return <Empty icon="paper" title="No file has been sent yet" />;
  }
  if (file.download) {
    return <ShownFile file={file} url={file.download.url} title={title} again={again} />;
  }
  return (
    <Empty icon="paper" title="Nobody can open this file">
      <p>{verdict === 'CLEAN' || verdict === 'NOT_SCANNED' ? 'Look again in a moment.' : WITHHELD[verdict]}</p>
    </Empty>
  );
}

function Details({ document }: { document: PaperFragment }): JSX.Element {
  const { customer } = document;
  return (
    <Facts
      of={[
        ['Number', document.number],
        ['Issued by', document.issuingCountry],
        ['Issued on', document.issuedOn && day(document.issuedOn)],
        ['Valid until', document.expiresOn && day(document.expiresOn)],
        ['Name', customer.fullName],
        ['Date of birth', customer.dateOfBirth && day(customer.dateOfBirth)],
        ...customer.addresses.map(({ kind, formatted }): [string, JSX.Element] => [
          `${ADDRESS_KIND[kind]} address`,
          <>
            {formatted.map((line, at) => (
              <span key={at} class="line">
                {line}
              </span>
            ))}
          </>,
        ]),
        ['Last changed', when(document.updatedAt)],
      ]}
    />
  );
}

interface DecisionProps {
  document: PaperFragment;
  loading: boolean;
  onDecided: (document: PaperFragment) => void;
  again: () => void;
}

/** Approve, or reject with a reason. Only what was seen can be decided about: a file that came since is refused by the service. */
function Decision({ document, loading, onDecided, again }: DecisionProps): JSX.Element | null {
  const [rejecting, setRejecting] = useState(false);
  const { busy, problem, run } = useAction();
  const decide = (approve: boolean, reasonCode: DocumentRejectionReason | null, reason: string | null): void =>
    run(async () => {
      const { id, version } = document;
      const { reviewDocument } = await ask(ReviewDocument, { id, approve, reasonCode, reason, expectedVersion: version });
      const decided = accept(reviewDocument).document;
      if (decided) {
        onDecided(decided);
      }
    });
  if (document.status !== 'PENDING_REVIEW') {
    return <Decided document={document} />;
  }
  return (
    <Panel id="decision" title="Decision">
      {problem?.code === 'CONFLICT' ? (
        <Notice tone="warn" title="It has changed while you looked">
          <p>Somebody decided, or another file came. Nothing was done.</p>
          <p>
            <Button onClick={again} busy={loading}>
              Show what it is now
            </Button>
          </p>
        </Notice>
      ) : (
        problem && <ProblemNotice problem={problem} />
      )}
      {rejecting ? (
        <Rejection busy={busy} onBack={() => setRejecting(false)} onReject={(code, reason) => decide(false, code, reason || null)} />
      ) : (
        <div class="row wrap">
          <Button look="main" icon="check" busy={busy} disabled={!document.file?.download} onClick={() => decide(true, null, null)}>
            Approve
          </Button>
          <Button icon="cross" disabled={busy} onClick={() => setRejecting(true)}>
            Reject …
          </Button>
        </div>
      )}
    </Panel>
  );
}

// Without what the scanner alone says.
const CHOICES = (Object.keys(REJECTION) as DocumentRejectionReason[]).filter((code) => code !== 'MALWARE');

interface RejectionProps {
  busy: boolean;
  onBack: () => void;
  onReject: (code: DocumentRejectionReason, reason: string) => void;
}

function Rejection({ busy, onBack, onReject }: RejectionProps): JSX.Element {
  const [code, setCode] = useState<DocumentRejectionReason>('OTHER');
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState(false);
  const id = useId();
  return (
    <form
      class="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        if (code === 'OTHER' && reason.trim() === '') {
          setMissing(true);
        } else {
          onReject(code, reason.trim());
        }
      }}
    >
      <div class="field">
        <label for={`${id}-code`}>Reason</label>
        <select
          id={`${id}-code`}
          value={code}
          onChange={(event) => {
            setCode(event.currentTarget.value as DocumentRejectionReason);
            setMissing(false);
          }}
        >
          {CHOICES.map((one) => (
            <option key={one} value={one}>
              {REJECTION[one]}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for={id}>Why is it rejected?</label>
        <textarea
          id={id}
          rows={4}
          maxLength={LONGEST_REASON}
          value={reason}
          autofocus
          aria-invalid={missing}
          aria-describedby={`${id}-hint`}
          onInput={(event) => {
            setReason(event.currentTarget.value);
            setMissing(false);
          }}
        />
        <span class={missing ? 'hint bad-text' : 'hint'} id={`${id}-hint`}>
          {missing ? 'Say why: the customer has to know what to send instead.' : code === 'OTHER'
              ? 'The customer reads this, and may send another file.'
              : 'The customer reads this, and may send another file. Left empty, a sentence for the reason stands here.'}
        </span>
      </div>
      <div class="row wrap">
        <Button type="submit" look="bad" busy={busy}>
          Reject
        </Button>
        <Button look="quiet" onClick={onBack}>
          Back
        </Button>
      </div>
    </form>
  );
}

function Decided({ document }: { document: PaperFragment }): JSX.Element | null {
  switch (document.status) {
    case 'VERIFIED':
      return <Notice tone="good" title="Approved" />;
    case 'REJECTED':
      return (
        <Notice tone="warn" title="Rejected">
          {document.rejectionCode && document.rejectionCode !== 'OTHER' && <p>{REJECTION[document.rejectionCode]}</p>}
          <p>{document.rejectionReason}</p>
        </Notice>
      );
    case 'EXPIRED':
      return <Notice title="Its last valid day has passed" />;
    default:
      return <Notice title="Nothing to decide before there is a file" />;
  }
}
