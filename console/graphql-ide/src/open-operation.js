import { useEditorContext, usePluginStore } from '@graphiql/react';
import { useCallback } from 'react';

import { filled } from './answers.js';
import { isWide } from './wide.js';

/** Returns how an operation is opened: in its tab where there is one, else in a new one, with what was seen as variables. */
export function useOpen() {
  const { addTab, changeTab, tabs, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  const setVisiblePlugin = usePluginStore((plugins) => plugins.setVisiblePlugin);

  return useCallback(
    ({ query, variables, operationName }) => {
      const there = tabs.findIndex((tab) => tab.title === operationName);
      if (there < 0) {
        addTab();
      } else {
        changeTab(there);
      }
      if (!isWide()) {
        // The panel covers the tab.
        setVisiblePlugin(null);
      }
      // Changing the tab changes the editors when React renders it; what is typed after that belongs to it.
      setTimeout(() => {
        queryEditor.setValue(query);
        variableEditor?.setValue(textOf(variables));
      });
    },
    [addTab, changeTab, tabs, queryEditor, variableEditor, setVisiblePlugin],
  );
}

/** Variables as they stand in the editor; nothing where an operation has none. */
export function textOf(variables) {
  return Object.keys(variables).length === 0 ? '' : JSON.stringify(filled(variables), null, 2);
}
