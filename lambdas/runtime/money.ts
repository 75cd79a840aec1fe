// How many minor units is that, exactly?
import { InvalidInput } from './errors.ts';

// ISO 4217: currencies whose minor unit is not a hundredth.
const EXPONENTS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3])),
  CLF: 4,
  UYW: 4,
};

let known: ReadonlySet<string> | undefined;

/** Decimal places of the currency by ISO 4217. A vendor's own offset (Meta's HUF, TWD) is its port's business. @throws InvalidInput for an unknown code. */
export function currencyExponent(currency: string): number {
  known ??= new Set([...Intl.supportedValuesOf('currency'), ...Object.keys(EXPONENTS)]);
  if (!known.has(currency))
    throw new InvalidInput(`${currency} is not an ISO 4217 currency code.`, { path: 'currency' });
  return EXPONENTS[currency] ?? 2;
}

/**
 * `('12.34', 'USD')` → 1234. Exact: no floating point, no rounding.
 * @throws InvalidInput for anything but a plain decimal, more decimals than the currency has (trailing zeros are fine), or an amount beyond 2^53.
 */
export function toMinor(decimal: string, currency: string): number {
  const exponent = currencyExponent(currency);
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal.trim());
  if (match === null)
    throw new InvalidInput(`"${decimal}" is not an amount such as 12.34.`, { path: 'amount' });
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > exponent) {
    throw new InvalidInput(`${decimal} has more decimals than ${currency} (${exponent}).`, {
      path: 'amount',
    });
  }
  const minor = BigInt(`${match[2]}${fraction.padEnd(exponent, '0')}`);
  if (minor > BigInt(Number.MAX_SAFE_INTEGER))
    throw new InvalidInput(`${decimal} is too large.`, { path: 'amount' });
  return match[1] === '-' && minor > 0n ? -Number(minor) : Number(minor);
}

/** `(1234, 'USD')` → `'12.34'`: the inverse of toMinor. @throws InvalidInput when it is not a whole number of minor units. */
export function toDecimal(minor: number, currency: string): string {
  const exponent = currencyExponent(currency);
  if (!Number.isSafeInteger(minor))
    throw new InvalidInput(`${minor} is not a whole number of minor units.`, { path: 'amount' });
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0');
  const sign = minor < 0 ? '-' : '';
  return exponent === 0
    ? `${sign}${digits}`
    : `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/** For people: `$12.34`, `¥1,234`. */
export function formatMoney(minor: number, currency: string, locale = 'en-US'): string {
  const exponent = currencyExponent(currency);
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  }).format(toDecimal(minor, currency) as Intl.StringNumericLiteral);
}
