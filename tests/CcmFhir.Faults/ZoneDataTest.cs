namespace CcmFhir.Faults;

/// <summary>A machine without time zone data, as slim images are: a month that began at another midnight would be billed wrong, so the start
/// is refused.</summary>
[Collection(FaultTable.OneAtATime)]
public sealed class ZoneDataTest(FaultTable table) : IDisposable
{
    private const string Zone = "America/New_York";

    private readonly FaultScene scene = new("zones");

    [Fact]
    public async Task Without_time_zone_data_the_start_is_refused_with_what_to_install()
    {
        var load = new CareLoad(patients: 10, rounds: 2);
        await scene.SendAsync(load, clients: 8);
        scene.Stop();
        var violations = new List<string>();
        byte[]?[] files = [null, [], "TZif"u8.ToArray(), new byte[4096]];
        foreach (var file in files)
        {
            var zones = Directory.CreateTempSubdirectory("ccmfhir-zones-").FullName;
            if (file is not null)
            {
                Directory.CreateDirectory(Path.Combine(zones, "America"));
                await File.WriteAllBytesAsync(Path.Combine(zones, Zone), file);
            }
            scene.Settings["TZDIR"] = zones;
            string[] said =
            [
                await scene.TryStartAsync() ?? "started",
                await scene.CommandAsync("verify", "--practices", scene.Practices) is (2, _, var errors)
                    ? errors
                    : "verified",
            ];
            Directory.Delete(zones, recursive: true);
            violations.AddRange(
                said.Where(text =>
                        !text.Contains(Zone, StringComparison.Ordinal)
                        || !text.Contains("tzdata", StringComparison.Ordinal)
                    )
                    .Select(text => $"With zone data of {file?.Length ?? -1} bytes: {text}")
            );
        }
        scene.Settings.Remove("TZDIR");
        await scene.StartAsync();

        violations.AddRange(await new Invariants(scene, load).CheckAsync());
        table.Report("time zone data missing", files.Length, files.Length, load.Acknowledged.Count, violations);
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();
}
