import { chosenTheme, showTheme } from './theme';

showTheme(chosenTheme());
