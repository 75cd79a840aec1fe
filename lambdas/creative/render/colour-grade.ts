// What mood do the colours have?
import type { GRADES } from '../types.ts';

type Grade = (typeof GRADES)[number];

/**
 * Curves per plane of limited-range YUV (luma 16…235, chroma around 128), so that a grade is one table look-up per sample and
 * no conversion to RGB. Warm lowers blue difference and raises red difference; cool the reverse; cinematic is an S-curve
 * with muted, slightly teal chroma.
 */
const CURVES: Record<Grade, { y?: string; u?: string; v?: string } | null> = {
  neutral: null,
  warm: { y: 'clip(val*1.02,16,235)', u: 'clip(val-9,16,240)', v: 'clip(val+8,16,240)' },
  cool: { u: 'clip(val+9,16,240)', v: 'clip(val-7,16,240)' },
  vivid: {
    y: 'clip((val-126)*1.08+127,16,235)',
    u: 'clip((val-128)*1.35+128,16,240)',
    v: 'clip((val-128)*1.35+128,16,240)',
  },
  cinematic: {
    y: 'clip(16+219*(0.7*((val-16)/219)+0.3*(3*pow((val-16)/219,2)-2*pow((val-16)/219,3)))-4,16,235)',
    u: 'clip((val-128)*0.8+131,16,240)',
    v: 'clip((val-128)*0.85+126,16,240)',
  },
  mono: { y: 'clip((val-126)*1.06+126,16,235)', u: '128', v: '128' },
};

/** `lutyuv=…`, or null when the grade leaves the picture as it is. */
export function colourGrade(grade: Grade): string | null {
  const curves = CURVES[grade];
  if (curves === null) return null;
  const planes = Object.entries(curves).map(([plane, curve]) => `${plane}='${curve}'`);
  return `lutyuv=${planes.join(':')}`;
}
