/** Whether editor and answer stand side by side; see page.css for what happens where they do not. */
export const isWide = () => matchMedia('(min-width: 721px)').matches;
