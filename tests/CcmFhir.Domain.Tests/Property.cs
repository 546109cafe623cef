using CcmFhir.Validation.Tests;
using CsCheck;

namespace CcmFhir.Domain.Tests;

/// <summary>What holds for anything. Every build tries the same samples, so that a change which passes here passes everywhere; the long form
/// (<c>CCMFHIR_LONG=1</c>) tries more, and others each time.</summary>
internal static class Property
{
    private const ulong Seed = 20_261_124;
    private const int TimesMore = 100;

    /// <summary>Fails with the smallest sample that is found for which the property does not hold.</summary>
    /// <param name="any">Makes the samples.</param>
    /// <param name="property">What holds.</param>
    /// <param name="samples">How many are tried in the short form.</param>
    public static void Holds<T>(this Gen<T> any, Func<T, bool> property, int samples = 100)
    {
        if (LongRun.IsAsked)
        {
            any.Sample(property, iter: TimesMore * samples);
            return;
        }
        var random = new PCG(1, Seed);
        for (var sample = 0; sample < samples; sample++)
        {
            var seed = random.ToString();
            if (!Holds(property, any.Generate(random, null, out _)))
            {
                // Begins with this one, makes it smaller, and says what it is.
                any.Sample(property, seed: seed, iter: TimesMore * samples);
                Assert.Fail($"Does not hold for seed {seed}.");
            }
        }
    }

    private static bool Holds<T>(Func<T, bool> property, T sample)
    {
        try
        {
            return property(sample);
        }
        catch (Exception)
        {
            // Thrown again, with the sample, when it is made smaller.
            return false;
        }
    }
}
