import { useEditorContext } from '@graphiql/react';
import { useEffect, useState, useSyncExternalStore } from 'react';

import { latestAnswer, listen } from './answers.js';
import { useOpen } from './open-operation.js';
import { after, named } from './operations.js';
import { fileOf, sample, send } from './upload.js';
import { isWide } from './wide.js';

/** Below an answer: sends the file that it waits for, takes the token that it brought, leads to the next operation. */
export function NextStep({ token, onToken }) {
  const { operationName, upload, accessToken } = useSyncExternalStore(listen, latestAnswer);
  const open = useOpen();
  useEffect(showOperations, []);
  useWrappedLines();
  const next = after(operationName);
  const offered = accessToken && accessToken !== token;
  if (!upload && !next && !offered) {
    return null;
  }
  return (
    <div className="next-step">
      {upload && <Sending key={upload.url} upload={upload} name={fileOf(named(operationName))} />}
      {offered && (
        <button type="button" onClick={() => onToken(accessToken)}>
          Go on as who has signed in
        </button>
      )}
      {next && (
        <button type="button" className="next" onClick={() => open(next)}>
          Next: {next.title}
        </button>
      )}
    </div>
  );
}

/** Show whole lines, however narrow the editor is. */
function useWrappedLines() {
  const { queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor]) {
      editor?.setOption('lineWrapping', true);
    }
  }, [queryEditor, variableEditor]);
}

/** Open the panel where there is room. GraphiQL makes room for it when its button is used, and in no other way. */
function showOperations() {
  const timer = setTimeout(() => isWide() && document.querySelector('[aria-label="Show Operations"]')?.click());
  return () => clearTimeout(timer);
}

function Sending({ upload, name }) {
  const [state, setState] = useState({ text: 'The answer says where a file goes.' });
  const [samples, setSamples] = useState(false);
  useEffect(() => {
    sample(name).then((found) => setSamples(found !== undefined));
  }, [name]);

  const put = async (file) => {
    setState({ text: `Sending ${file.name} …` });
    setState(await send(upload, file));
  };
  return (
    <>
      <p role="status" data-tone={state.tone}>
        {state.text}
      </p>
      {samples && (
        <button type="button" onClick={async () => put(await sample(name))}>
          Send {name}
        </button>
      )}
      <label className="button">
        <input type="file" onChange={(event) => event.target.files[0] && put(event.target.files[0])} />
        {samples ? 'Another file …' : 'Send a file …'}
      </label>
    </>
  );
}
