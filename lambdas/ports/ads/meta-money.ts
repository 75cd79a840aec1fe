// What number does Meta expect for an amount of money?
import { InvalidInput } from '../../runtime/errors.ts';
import { currencyExponent } from '../../runtime/money.ts';
import type { Money } from './publisher.ts';

// Meta counts these in whole units although ISO 4217 gives some of them decimals
// (https://developers.facebook.com/docs/marketing-api/currencies, offset 1).
const WHOLE_UNITS = new Set(['CLP', 'COP', 'CRC', 'HUF', 'IDR', 'ISK', 'JPY', 'KRW', 'PYG', 'TWD', 'VND']);

const offsetExponent = (currency: string): number => (WHOLE_UNITS.has(currency) ? 0 : 2);

/** An integer in Meta's unit of the currency. @throws InvalidInput, at `path`, when the amount is not positive or does not fit that unit exactly. */
export function toMeta({ amountMinor, currency }: Money, path = 'dailyBudget'): number {
  const shift = currencyExponent(currency) - offsetExponent(currency);
  const factor = 10 ** Math.abs(shift);
  const amount = shift >= 0 ? amountMinor / factor : amountMinor * factor;
  if (!Number.isSafeInteger(amountMinor) || amountMinor <= 0 || !Number.isSafeInteger(amount)) {
    throw new InvalidInput(`${amountMinor} minor units of ${currency} is not an amount Meta can take.`, {
      path,
    });
  }
  return amount;
}

/** The inverse of `toMeta`. @throws InvalidInput for a currency that is not known. */
export function fromMeta(amount: number, currency: string): Money {
  const shift = currencyExponent(currency) - offsetExponent(currency);
  return { amountMinor: Math.round(amount * 10 ** shift), currency };
}
