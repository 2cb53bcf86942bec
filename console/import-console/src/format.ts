// Numbers, sizes and times in the way of the reader's own language settings.

const COUNT = new Intl.NumberFormat();
const ONE_DIGIT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

const UNITS = ['B', 'KB', 'MB', 'GB'];
const KILO = 1024;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY_SECONDS = 24 * HOUR;

export const count = (value: number): string => COUNT.format(value);
export const when = (time: string): string => WHEN.format(new Date(time));
export const day = (date: string): string => DAY.format(new Date(date));
export const clock = (time: string): string => CLOCK.format(new Date(time));

export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= KILO && unit < UNITS.length - 1) {
    value /= KILO;
    unit += 1;
  }
  return `${ONE_DIGIT.format(value)} ${UNITS[unit]}`;
}

/** How the history and imports name somebody, in short: without the kind, and without the issuer in front of the subject. */
export const person = (actor: string): string => actor.replace(/^operator:/, '').split('|').at(-1) ?? actor;

/** Percent without decimals; 100 only when everything is done. */
export const percent = (share: number): string => `${share >= 1 ? 100 : Math.min(99, Math.floor(share * 100))} %`;

/** "3 minutes ago" for the last day, the date before. */
export function ago(time: string): string {
  const seconds = Math.round((Date.parse(time) - Date.now()) / 1000);
  const distance = Math.abs(seconds);
  if (distance < MINUTE) {
    return 'just now';
  }
  if (distance < HOUR) {
    return AGO.format(Math.round(seconds / MINUTE), 'minute');
  }
  return distance < DAY_SECONDS ? AGO.format(Math.round(seconds / HOUR), 'hour') : when(time);
}

/** "12 s", "4 min", "2 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 1) {
    return 'less than a second';
  }
  const whole = Math.round(seconds);
  if (whole < MINUTE) {
    return `${whole} s`;
  }
  if (whole < HOUR) {
    return `${Math.round(whole / MINUTE)} min`;
  }
  return `${Math.floor(whole / HOUR)} h ${Math.round((whole % HOUR) / MINUTE)} min`;
}
