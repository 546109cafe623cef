using System.CommandLine;
using System.Globalization;
using CcmFhir.Ehr;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir ehr</c>: the connection to a practice's EHR.</summary>
internal static class EhrCommand
{
    /// <summary>Builds the command with what stands below it.</summary>
    public static Command Build(TimeProvider clock) =>
        new("ehr", "The connection to a practice's EHR.") { Check(clock), Keys(clock), Rotate(clock) };

    private static Command Check(TimeProvider clock)
    {
        return CommandPlace.Define(
            "check",
            "Asks the EHR what it can do, and says how claims will be delivered.",
            clock,
            [],
            async (run, cancel) =>
            {
                if (!run.Place.Ehr.Connection.HasServer)
                {
                    await run.Output.WriteLineAsync(
                        $"Claims are delivered as: file, into {run.Place.File.ClaimFiles!.Folder}"
                    );
                    return 0;
                }
                var (known, answer) = await run.Place.Ehr.Capabilities.GetAsync(run.Place.Ehr, cancel);
                if (known is null)
                {
                    await run.Output.WriteLineAsync(
                        $"The EHR's /metadata cannot be read. {answer?.Text ?? answer?.StatusText}"
                    );
                    return 1;
                }
                foreach (var type in new[] { "Claim", "ChargeItem", "DocumentReference" })
                {
                    await run.Output.WriteLineAsync(
                        $"{type}: {(known[type].Create ? "create" : "no create")}, {(known[type].ConditionalCreate ? "If-None-Exist" : "no If-None-Exist")}, {(known[type].FindByIdentifier ? "search by identifier" : "no search by identifier")}{string.Concat(known[type].Operations.Order(StringComparer.Ordinal).Select(name => ", $" + name))}"
                    );
                }
                var shape = Deliver.Choose(run.Place.Ehr.Connection, known);
                await run.Output.WriteLineAsync(
                    shape is null
                        ? "Claims cannot be delivered; set 'ehr.deliver' to the way agreed with the vendor."
                        : $"Claims are delivered as: {Deliver.Word(shape.Value)}"
                );
                return shape is null ? 1 : 0;
            }
        );
    }

    private static Command Keys(TimeProvider clock)
    {
        return CommandPlace.Define(
            "keys",
            "Our keys for the EHR's token endpoint.",
            clock,
            [],
            async (run, cancel) =>
            {
                var signing = run.Place.Sessions.Keys.Signing(
                    run.Place.Practice,
                    run.Place.Ehr.Connection.Authorization.Algorithm,
                    clock.GetUtcNow()
                );
                foreach (var key in run.Place.Sessions.Keys.Published(run.Place.Practice, clock.GetUtcNow()))
                {
                    await run.Output.WriteLineAsync(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{key.Id}  {key.Algorithm}  made {key.Made.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z{(key.Id == signing.Id ? "  signs" : "")}"
                        )
                    );
                }
                return 0;
            }
        );
    }

    private static Command Rotate(TimeProvider clock)
    {
        return CommandPlace.Define(
            "rotate",
            "Makes a new key: published at once, signing after ten minutes; the old one stays published for a day.",
            clock,
            [],
            async (run, cancel) =>
            {
                var key = run.Place.Sessions.Keys.Rotate(
                    run.Place.Practice,
                    run.Place.Ehr.Connection.Authorization.Algorithm,
                    clock.GetUtcNow()
                );
                await run.Output.WriteLineAsync($"{key.Id}  {key.Algorithm}");
                return 0;
            }
        );
    }
}
