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
        var (practice, store) = (CommandPlace.PracticeOption(), CommandPlace.StoreOption());
        var command = new Command("check", "Asks the EHR what it can do, and says how claims will be delivered.")
        {
            practice,
            store,
        };
        command.SetAction(
            (parsed, cancel) =>
                CommandPlace.RunAsync(
                    parsed,
                    parsed.GetValue(practice),
                    parsed.GetValue(store),
                    clock,
                    async (place, output) =>
                    {
                        if (!place.Ehr.Connection.HasServer)
                        {
                            await output.WriteLineAsync(
                                $"Claims are delivered as: file, into {place.File.ClaimFiles!.Folder}"
                            );
                            return 0;
                        }
                        var (known, answer) = await place.Ehr.Capabilities.GetAsync(place.Ehr, cancel);
                        if (known is null)
                        {
                            await output.WriteLineAsync(
                                $"The EHR's /metadata cannot be read. {answer?.Text ?? answer?.StatusText}"
                            );
                            return 1;
                        }
                        foreach (var type in new[] { "Claim", "ChargeItem", "DocumentReference" })
                        {
                            await output.WriteLineAsync(
                                $"{type}: {(known[type].Create ? "create" : "no create")}, {(known[type].ConditionalCreate ? "If-None-Exist" : "no If-None-Exist")}, {(known[type].FindByIdentifier ? "search by identifier" : "no search by identifier")}{string.Concat(known[type].Operations.Order(StringComparer.Ordinal).Select(name => ", $" + name))}"
                            );
                        }
                        var shape = Deliver.Choose(place.Ehr.Connection, known);
                        await output.WriteLineAsync(
                            shape is null
                                ? "Claims cannot be delivered; set 'ehr.deliver' to the way agreed with the vendor."
                                : $"Claims are delivered as: {Deliver.Word(shape.Value)}"
                        );
                        return shape is null ? 1 : 0;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Keys(TimeProvider clock)
    {
        var (practice, store) = (CommandPlace.PracticeOption(), CommandPlace.StoreOption());
        var command = new Command("keys", "Our keys for the EHR's token endpoint.") { practice, store };
        command.SetAction(
            (parsed, cancel) =>
                CommandPlace.RunAsync(
                    parsed,
                    parsed.GetValue(practice),
                    parsed.GetValue(store),
                    clock,
                    async (place, output) =>
                    {
                        var signing = place.Sessions.Keys.Signing(
                            place.Practice,
                            place.Ehr.Connection.Authorization.Algorithm,
                            clock.GetUtcNow()
                        );
                        foreach (var key in place.Sessions.Keys.Published(place.Practice, clock.GetUtcNow()))
                        {
                            await output.WriteLineAsync(
                                string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"{key.Id}  {key.Algorithm}  made {key.Made.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z{(key.Id == signing.Id ? "  signs" : "")}"
                                )
                            );
                        }
                        return 0;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Rotate(TimeProvider clock)
    {
        var (practice, store) = (CommandPlace.PracticeOption(), CommandPlace.StoreOption());
        var command = new Command(
            "rotate",
            "Makes a new key: published at once, signing after ten minutes; the old one stays published for a day."
        )
        {
            practice,
            store,
        };
        command.SetAction(
            (parsed, cancel) =>
                CommandPlace.RunAsync(
                    parsed,
                    parsed.GetValue(practice),
                    parsed.GetValue(store),
                    clock,
                    async (place, output) =>
                    {
                        var key = place.Sessions.Keys.Rotate(
                            place.Practice,
                            place.Ehr.Connection.Authorization.Algorithm,
                            clock.GetUtcNow()
                        );
                        await output.WriteLineAsync($"{key.Id}  {key.Algorithm}");
                        return 0;
                    },
                    cancel
                )
        );
        return command;
    }
}
