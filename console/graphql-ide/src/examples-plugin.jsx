import { useEditorContext, usePluginStore } from '@graphiql/react';

import { EXAMPLES } from './examples.js';
import { isWide } from './wide.js';

/** A panel of GraphiQL that opens any of the examples in a new tab; the first visit has them all open. */
export const EXAMPLES_PLUGIN = { title: 'Examples', icon: Icon, content: Content };

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M4 5h16M4 12h16M4 19h10" strokeLinecap="round" />
    </svg>
  );
}

function Content() {
  const { addTab, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  const setVisiblePlugin = usePluginStore((plugins) => plugins.setVisiblePlugin);

  const open = ({ query, variables }) => {
    addTab();
    if (!isWide()) {
      // The panel covers the tab.
      setVisiblePlugin(null);
    }
    // A new tab empties the editors when React renders it; what is typed after that belongs to it.
    setTimeout(() => {
      queryEditor.setValue(query);
      variableEditor?.setValue(variables);
    });
  };
  return (
    <section className="examples" aria-label="Examples">
      <div className="graphiql-doc-explorer-title">Examples</div>
      <p>Each opens in a new tab.</p>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example.title}>
            <button type="button" onClick={() => open(example)}>
              {example.title}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
