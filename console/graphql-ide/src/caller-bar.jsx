import { useEffect, useState } from 'react';

const WHO = { query: '{ viewer { kind subject sellerId } }' };

/** Says as whom the page asks, by what the service answers, and takes another token, or the one from *before*. */
export function CallerBar({ fetcher, token, before, onToken }) {
  const caller = useCaller(fetcher, token);
  const [changing, setChanging] = useState(false);

  const submit = (event) => {
    event.preventDefault();
    onToken(new FormData(event.currentTarget).get('token'));
    setChanging(false);
  };
  return (
    <header className="caller">
      <p role="status" data-state={caller.state}>
        {caller.text}
      </p>
      {changing ? (
        <form onSubmit={submit}>
          <input
            name="token"
            aria-label="Access token"
            placeholder="Access token"
            autoComplete="off"
            spellCheck={false}
            autoFocus
          />
          <button type="submit">Use</button>
          <button type="button" onClick={() => setChanging(false)}>
            Cancel
          </button>
        </form>
      ) : (
        <div>
          {before && before !== token && (
            <button type="button" onClick={() => onToken(before)}>
              Back to who I was
            </button>
          )}
          <button type="button" onClick={() => setChanging(true)}>
            {token ? 'Other token' : 'Enter a token'}
          </button>
          {token && (
            <button type="button" onClick={() => onToken('')}>
              Forget it
            </button>
          )}
        </div>
      )}
    </header>
  );
}

function useCaller(fetcher, token) {
  const [caller, setCaller] = useState({ state: 'asking', text: '' });
  useEffect(() => {
    let current = true;
    const tell = (state, text) => current && setCaller({ state, text });
    if (!token) {
      tell('nobody', 'Without a token. Those of the development stack are in .run/stack.json.');
      return undefined;
    }
    tell('asking', 'Asking who this token is …');
    fetcher(WHO).then(
      ({ data, errors }) =>
        data?.viewer ? tell('known', described(data.viewer)) : tell('refused', errors?.[0]?.message ?? 'This token is refused.'),
      (error) => tell('refused', `The service does not answer: ${error.message}`),
    );
    return () => {
      current = false;
    };
  }, [fetcher, token]);
  return caller;
}

function described({ kind, subject, sellerId }) {
  return `${kind.toLowerCase()} ${subject}${sellerId ? ` of seller ${sellerId}` : ', all sellers'}`;
}
