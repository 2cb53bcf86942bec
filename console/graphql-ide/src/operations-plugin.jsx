import { useOpen } from './open-operation.js';
import { flows } from './operations.js';

/** A panel of GraphiQL with every ready operation, by what one wants to do. */
export const OPERATIONS_PLUGIN = { title: 'Operations', icon: Icon, content: Content };

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M4 6h2M4 12h2M4 18h2M9 6h11M9 12h11M9 18h7" strokeLinecap="round" />
    </svg>
  );
}

function Content() {
  const open = useOpen();
  const all = flows();
  return (
    <section className="operations" aria-label="Operations">
      <div className="graphiql-doc-explorer-title">Operations</div>
      {all.length === 0 ? (
        <p>This service came without the folder examples/operations.</p>
      ) : (
        <p>Each begins with what the answers before it have named: go through a flow from its first to its last.</p>
      )}
      {all.map(([flow, operations]) => (
        <details key={flow} open>
          <summary>{flow}</summary>
          <ol>
            {operations.map((operation) => (
              <li key={operation.name}>
                <button type="button" title={operation.about} onClick={() => open(operation)}>
                  {operation.title}
                </button>
              </li>
            ))}
          </ol>
        </details>
      ))}
    </section>
  );
}
