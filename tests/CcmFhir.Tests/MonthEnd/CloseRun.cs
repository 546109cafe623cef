namespace CcmFhir.Tests.MonthEnd;

/// <summary>A close that runs while its client waits for it.</summary>
internal static class CloseRun
{
    /// <summary>Asks how far it is until it has come to an end.</summary>
    /// <param name="http">The client.</param>
    /// <param name="status">Where to ask.</param>
    /// <returns>Status and body of the last answer.</returns>
    public static Task<(int Status, string Text)> EndAsync(HttpClient http, Uri status) =>
        Eventually.SeeAsync<(int Status, string Text)>(
            async () =>
            {
                using var answer = await http.GetAsync(status, TestContext.Current.CancellationToken);
                if ((int)answer.StatusCode != 202)
                {
                    return (
                        (int)answer.StatusCode,
                        await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
                    );
                }
                var progress = answer.Headers.GetValues("X-Progress").Single();
                progress.ShouldContain(" shards, ");
                return (202, progress);
            },
            // With 502 the proxy of a Functions host answers for a program that is being started again.
            seen => seen.Status is not (202 or 502)
        );
}
