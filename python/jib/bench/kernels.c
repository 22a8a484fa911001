/* The kernels of kernels.py in plain C: no check of overflow, of indices or of division, which jib makes.
 * An array comes as a pointer and the length of its first dimension. Ints are of 64 bits. */
#include <math.h>
#include <stdint.h>

typedef int64_t i64;

i64 fib(i64 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

i64 collatz(i64 limit) {
    i64 best = 0;
    for (i64 start = 1; start < limit; start++) {
        i64 n = start, steps = 0;
        while (n != 1) {
            n = n % 2 == 0 ? n / 2 : 3 * n + 1;
            steps += 1;
        }
        if (steps > best) best = steps;
    }
    return best;
}

i64 mandel(double cx, double cy, i64 most) {
    double x = 0.0, y = 0.0;
    for (i64 i = 0; i < most; i++) {
        double xx = x * x, yy = y * y;
        if (xx + yy > 4.0) return i;
        y = 2.0 * x * y + cy;
        x = xx - yy + cx;
    }
    return most;
}

double nbody(double (*x)[3], i64 nx, double (*v)[3], i64 nv, double *m, i64 n, double dt, i64 steps) {
    for (i64 step = 0; step < steps; step++) {
        for (i64 i = 0; i < n; i++) {
            for (i64 j = i + 1; j < n; j++) {
                double dx = x[i][0] - x[j][0], dy = x[i][1] - x[j][1], dz = x[i][2] - x[j][2];
                double d2 = dx * dx + dy * dy + dz * dz;
                double mag = dt / (d2 * sqrt(d2));
                v[i][0] -= dx * m[j] * mag;
                v[i][1] -= dy * m[j] * mag;
                v[i][2] -= dz * m[j] * mag;
                v[j][0] += dx * m[i] * mag;
                v[j][1] += dy * m[i] * mag;
                v[j][2] += dz * m[i] * mag;
            }
        }
        for (i64 i = 0; i < n; i++)
            for (i64 k = 0; k < 3; k++) x[i][k] += dt * v[i][k];
    }
    return x[0][0];
}

i64 sieve(uint8_t *marks, i64 n) {
    i64 count = 0;
    for (i64 i = 0; i < n; i++) marks[i] = 1;
    for (i64 i = 2; i < n; i++) {
        if (marks[i]) {
            count += 1;
            for (i64 j = i * i; j < n; j += i) marks[j] = 0;
        }
    }
    return count;
}

static double a(i64 i, i64 j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static void times(double *v, double *u, double *w, i64 n) {
    for (i64 i = 0; i < n; i++) {
        double s = 0.0;
        for (i64 j = 0; j < n; j++) s += a(i, j) * v[j];
        w[i] = s;
    }
    for (i64 i = 0; i < n; i++) {
        double s = 0.0;
        for (i64 j = 0; j < n; j++) s += a(j, i) * w[j];
        u[i] = s;
    }
}

double spectral(double *u, i64 n, double *v, i64 nv, double *w, i64 nw) {
    for (i64 i = 0; i < n; i++) u[i] = 1.0;
    for (int round = 0; round < 3; round++) {
        times(u, v, w, n);
        times(v, u, w, n);
    }
    double vbv = 0.0, vv = 0.0;
    for (i64 i = 0; i < n; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    return sqrt(vbv / vv);
}

i64 gcds(i64 n) {
    i64 total = 0;
    for (i64 i = 1; i < n; i++) {
        for (i64 j = 1; j < n; j++) {
            i64 p = i, q = j;
            while (q) {
                i64 rest = p % q;
                p = q;
                q = rest;
            }
            total += p;
        }
    }
    return total;
}

i64 lcg(i64 seed, i64 n) {
    for (i64 i = 0; i < n; i++) seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF;
    return seed;
}

i64 xorshift(i64 x, i64 n) {
    i64 total = 0;
    for (i64 i = 0; i < n; i++) {
        x ^= (x << 13) & 0xFFFFFFFF;
        x ^= x >> 17;
        x ^= (x << 5) & 0xFFFFFFFF;
        total += x & 255;
    }
    return total;
}

double simpson(double from, double to, i64 n) {
    double h = (to - from) / n;
    double total = sin(from) / from + sin(to) / to;
    for (i64 i = 1; i < n; i++) {
        double x = from + i * h;
        double y = sin(x) / x;
        total += i % 2 ? 4.0 * y : 2.0 * y;
    }
    return total * h / 3.0;
}

i64 queens(i64 row_mask, i64 cols, i64 left, i64 right) {
    if (cols == row_mask) return 1;
    i64 count = 0, free = row_mask & ~(cols | left | right);
    while (free) {
        i64 bit = free & -free;
        free ^= bit;
        count += queens(row_mask, cols | bit, ((left | bit) << 1) & row_mask, (right | bit) >> 1);
    }
    return count;
}

i64 primes(i64 n) {
    i64 count = 0;
    for (i64 candidate = 2; candidate < n; candidate++) {
        i64 divisor = 2;
        while (divisor * divisor <= candidate && candidate % divisor) divisor += 1;
        count += divisor * divisor > candidate;
    }
    return count;
}
