/*
 * Probabilities of the distributions that tests and intervals need. Formulas are those of the NIST Digital Library of
 * Mathematical Functions (DLMF); each is right to 10 digits and more where the tests look, beside SciPy's.
 */
#ifndef TENFOLD_SIM_PROBABILITY_H
#define TENFOLD_SIM_PROBABILITY_H

double normal_below(double z);                        /* of a standard normal one: at most z */
double beta_below(double a, double b, double x);      /* of a beta one: at most x; a, b > 0 */
double chi_square_above(double chi_square, double n); /* of n > 0 degrees of freedom: at least that */
/* Student's t of n > 0 degrees of freedom, which need not be whole: at least as far from 0 as t; and the t, from 0 to
 * 10^8, that is passed on either side with that probability, 0 < beyond < 1. */
double student_beyond(double t, double n);
double student_end(double beyond, double n);

#endif
