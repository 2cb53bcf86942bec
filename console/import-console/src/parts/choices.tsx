import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

interface Choice<Value extends string> {
  value: Value;
  text: string;
  hint?: string;
}

interface ChoicesProps<Value extends string> {
  legend: string;
  choices: Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

/** One of a few, side by side. */
export function Segments<Value extends string>({ legend, choices, value, onChange }: ChoicesProps<Value>): JSX.Element {
  const name = useId();
  return (
    <fieldset class="segments">
      <legend class="unseen">{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input type="radio" name={name} checked={choice.value === value} onChange={() => onChange(choice.value)} />
          <span>{choice.text}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** One of a few, below each other, each with a line that explains it. */
export function Choices<Value extends string>({ legend, choices, value, onChange }: ChoicesProps<Value>): JSX.Element {
  const name = useId();
  return (
    <fieldset class="choices">
      <legend>{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input type="radio" name={name} checked={choice.value === value} onChange={() => onChange(choice.value)} />
          <span>
            {choice.text}
            {choice.hint && <span class="hint">{choice.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface PickProps<Value extends string> {
  label: string;
  hint?: string;
  options: { value: Value; text: string }[];
  value: Value;
  onChange: (value: Value) => void;
}

/** One of a list. */
export function PickOne<Value extends string>({ label, hint, options, value, onChange }: PickProps<Value>): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} aria-describedby={hint && `${id}-hint`} onChange={(event) => onChange(event.currentTarget.value as Value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}
