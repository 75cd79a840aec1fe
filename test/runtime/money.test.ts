// Is money exact in every currency?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currencyExponent, formatMoney, toDecimal, toMinor } from '../../lambdas/runtime/money.ts';

describe('money', () => {
  it.each([
    ['12.34', 'USD', 1234],
    ['12.3', 'EUR', 1230],
    ['1234', 'JPY', 1234],
    ['1234.000', 'JPY', 1234],
    ['1.234', 'KWD', 1234],
    ['0.1', 'BHD', 100],
    ['-5', 'USD', -500],
    ['-0', 'USD', 0],
    ['0.0001', 'CLF', 1],
    ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
  ])('%s %s is %d minor units', (decimal, currency, minor) => {
    expect(toMinor(decimal, currency)).toBe(minor);
  });

  it.each([
    ['1.5', 'JPY', 'more decimals'],
    ['1.234', 'USD', 'more decimals'],
    ['1,50', 'USD', 'not an amount'],
    ['1e3', 'USD', 'not an amount'],
    ['', 'USD', 'not an amount'],
    ['90071992547409.92', 'USD', 'too large'],
    ['1', 'XYQ', 'not an ISO 4217'],
    ['1', 'usd', 'not an ISO 4217'],
  ])('refuses %s %s', (decimal, currency, reason) => {
    expect(() => toMinor(decimal, currency)).toThrow(
      expect.objectContaining({ name: 'InvalidInput', message: expect.stringContaining(reason) }),
    );
  });

  it('comes back exactly from decimals, whatever the currency', () => {
    const minors = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(minors, fc.constantFrom('USD', 'JPY', 'KWD', 'CLF', 'EUR'), (minor, currency) => {
        expect(toMinor(toDecimal(minor, currency), currency)).toBe(minor === 0 ? 0 : minor);
      }),
    );
  });

  it('is written for people with the digits of the currency', () => {
    expect(formatMoney(123_456, 'USD')).toBe('$1,234.56');
    expect(formatMoney(1234, 'JPY')).toBe('¥1,234');
    expect(formatMoney(Number.MAX_SAFE_INTEGER, 'USD')).toBe('$90,071,992,547,409.91');
    expect(currencyExponent('KRW')).toBe(0);
  });
});
