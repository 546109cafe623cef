using System.Runtime.CompilerServices;

namespace CcmFhir.Tests;

/// <summary>Waits for what comes about by itself, and not for ever.</summary>
internal static class Eventually
{
    /// <summary>So long anything may take on a machine that others use too; what takes longer does not come.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks again and again until what is seen is as it should be; fails, saying what was seen last, where it does not come.</summary>
    /// <param name="look">Looks.</param>
    /// <param name="isSo">Whether it is as it should be.</param>
    /// <param name="what">What is waited for, for the failure.</param>
    /// <returns>What was seen then.</returns>
    public static async Task<T> SeeAsync<T>(
        Func<Task<T>> look,
        Func<T, bool> isSo,
        [CallerArgumentExpression(nameof(isSo))] string what = ""
    )
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var seen = await look();
            if (isSo(seen))
            {
                return seen;
            }
            TimeProvider
                .System.GetElapsedTime(began)
                .ShouldBeLessThan(Patience, $"waited for {what}; seen last: {seen}");
            await Task.Delay(Pause, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>As above, for what is at hand.</summary>
    public static Task<T> SeeAsync<T>(
        Func<T> look,
        Func<T, bool> isSo,
        [CallerArgumentExpression(nameof(isSo))] string what = ""
    ) => SeeAsync(() => Task.FromResult(look()), isSo, what);
}
