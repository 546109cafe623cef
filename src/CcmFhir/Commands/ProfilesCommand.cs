using System.CommandLine;
using CcmFhir.Profiles;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir profiles</c>: what an EHR's data must look like, for the people who map it. Exit 0; 2 when there is no such profile.</summary>
internal static class ProfilesCommand
{
    public static Command Build() =>
        new("profiles", "The profiles: what care-management data must look like.") { List(), Show(), Sample(), Pack() };

    private static Command List()
    {
        var command = new Command("list", "Lists the profiles and extensions.");
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.Write(ProfileText.List());
            return 0;
        });
        return command;
    }

    private static Command Show()
    {
        var id = Id();
        var command = new Command("show", "Shows a profile as a tree, with the rule behind each constraint.") { id };
        command.SetAction(parsed => Print(parsed, parsed.GetRequiredValue(id), ProfileText.Show));
        return command;
    }

    private static Command Sample()
    {
        var id = Id();
        var kind = new Option<string>("--kind")
        {
            Description = "minimal, typical or rich; some profiles have more (profiles show names them).",
            DefaultValueFactory = _ => "typical",
        };
        var command = new Command("sample", "Prints a valid example of a profile.") { id, kind };
        command.SetAction(parsed =>
        {
            var (profile, wanted) = (parsed.GetRequiredValue(id), parsed.GetRequiredValue(kind));
            if (
                ProfileExamples.Kinds(profile) is { Count: > 0 } kinds
                && !kinds.Contains(wanted, StringComparer.Ordinal)
            )
            {
                parsed.InvocationConfiguration.Error.WriteLine(
                    $"{profile} has no example '{wanted}'; it has {string.Join(", ", kinds)}."
                );
                return 2;
            }
            return Print(parsed, profile, name => ProfileExamples.Read(name, wanted));
        });
        return command;
    }

    private static Command Pack()
    {
        var folder = new Option<string>("--output")
        {
            Description = "Folder to write to.",
            DefaultValueFactory = _ => ".",
        };
        var command = new Command("pack", "Writes the FHIR package, with snapshots and examples, for other tools.")
        {
            folder,
        };
        command.SetAction(parsed =>
        {
            var path = Path.Combine(parsed.GetRequiredValue(folder), ProfilePack.FileName);
            try
            {
                using var file = File.Create(path);
                ProfilePack.Write(file);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                parsed.InvocationConfiguration.Error.WriteLine($"{path} cannot be written: {fault.Message}");
                return 2;
            }
            parsed.InvocationConfiguration.Output.WriteLine(path);
            return 0;
        });
        return command;
    }

    private static Argument<string> Id() => new("id") { Description = "Id of the profile, such as ccm-time-log." };

    private static int Print(ParseResult parsed, string id, Func<string, string?> text)
    {
        if (text(id) is { } found)
        {
            parsed.InvocationConfiguration.Output.Write(found);
            return 0;
        }
        parsed.InvocationConfiguration.Error.WriteLine(
            $"There is no profile '{id}'; there are {string.Join(", ", ProfileText.Ids())}."
        );
        return 2;
    }
}
